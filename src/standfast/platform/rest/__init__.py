"""What the REST service's endpoints stand on, whatever component they belong to: a call as it came, and answers to it."""
