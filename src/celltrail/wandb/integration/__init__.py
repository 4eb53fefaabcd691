"""What wandb has for single libraries."""
