"""What MLflow runs to make the registered model: so that the registry holds this line of code, and no pickle."""

from mlflow.models import set_model

from callwright.registry.served import ServedStudent

set_model(ServedStudent())
