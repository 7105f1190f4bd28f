"""Programs of this machine: started, read, kept running, ended as whole trees."""
