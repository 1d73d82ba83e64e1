/**
 * Actions that take no resource, or for which AWS knows none before it exists. Only these may be allowed on "*", each
 * for its reason; a test holds every policy against this list.
 */
export const wildcards: Record<string, string> = {
  'ssm:UpdateInstanceInformation': 'the agent registers the machine it runs on',
  'ssm:ListInstanceAssociations': 'names the instance in the request, not as a resource',
  'ssm:ListAssociations': 'a list',
  'ssm:PutInventory': 'reports about the machine itself',
  'ssm:PutComplianceItems': 'reports about the machine itself',
  'ssmmessages:CreateControlChannel': 'a channel of the agent has no name',
  'ssmmessages:CreateDataChannel': 'a channel of the agent has no name',
  'ssmmessages:OpenControlChannel': 'a channel of the agent has no name',
  'ssmmessages:OpenDataChannel': 'a channel of the agent has no name',
  'ec2messages:AcknowledgeMessage': 'messages to the agent have no name',
  'ec2messages:DeleteMessage': 'messages to the agent have no name',
  'ec2messages:FailMessage': 'messages to the agent have no name',
  'ec2messages:GetEndpoint': 'messages to the agent have no name',
  'ec2messages:GetMessages': 'messages to the agent have no name',
  'ec2messages:SendReply': 'messages to the agent have no name',
  'cloudwatch:PutMetricData': 'metrics are no resources; a condition holds it to the namespace of the stage',
  'ec2:DescribeTags': 'a list; the CloudWatch agent asks for the tags of its instance',
  'ec2:DescribeVolumes': 'a list',
  'ec2:DescribeInstances': 'a list',
  'ec2:DescribeSnapshots': 'a list',
  'ec2:Describe*': 'lists; deploying compares what is there with what should be',
  'ssm:DescribeParameters': 'a list',
  'ssm:DescribeAssociation': 'asked by the number of the association, which is in no name',
  'ssm:DescribeInstanceInformation': 'a list',
  'logs:DescribeLogGroups': 'a list',
  'cloudwatch:DescribeAlarms': 'a list',
  'cloudfront:List*': 'lists',
  'route53:ListHostedZones': 'a list',
}
