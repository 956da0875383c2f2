"""What reads files through TensorFlow."""
