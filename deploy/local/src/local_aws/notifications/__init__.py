"""The notification of a function about new objects of a bucket, as S3 and Lambda do it together."""
