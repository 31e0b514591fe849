"""MLflow runs this file to create the registered model, so the registry stores code instead of a pickle."""

from mlflow.models import set_model

from callwright.registry.served import ServedStudent

set_model(ServedStudent())
