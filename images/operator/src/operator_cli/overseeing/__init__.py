"""How a pipeline is: read from the database, the bucket, the queue and CloudWatch, judged, and shown on one screen."""
