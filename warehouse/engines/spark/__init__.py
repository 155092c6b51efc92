"""The same warehouse on Spark, for corpora that one machine is too small for. Needs the extra `spark` and Java 17."""
