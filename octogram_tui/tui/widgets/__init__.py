"""What the screens are made of. Each draws its lines from the model, and only those that are seen and changed."""
