"""What Aurora MySQL adds to MySQL and the pipeline uses: `LOAD DATA FROM S3`, as a proxy before an ordinary server."""
