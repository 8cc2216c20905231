"""What runs inside the box. Sent or baked into the image as source; never imported by the service, except by tests."""
