"""Fine-tuning of pre-trained encoders; needs the extra `train` (torch, transformers)."""
