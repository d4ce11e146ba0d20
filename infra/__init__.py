"""What never ships in the Lambda: the CloudFormation template, provisioning, the local runner."""
