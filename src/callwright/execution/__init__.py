"""Map a function over shards of problems or chains: in this process or in processes of this machine."""
