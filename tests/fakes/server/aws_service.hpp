// All of aws-fake behind one function: S3, DynamoDB, and the endpoints that tell a test what happened.
#pragma once
#include "fakes/aws/fake_dynamodb.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/server/traffic.hpp"

namespace dynabackup::fakes {

class aws_service {
 public:
  aws_service(fake_s3& s3, fake_dynamodb& dynamodb) : s3_(s3), dynamodb_(dynamodb) {}

  traffic seen;

  response handle(const request& r);
  /// Whether a request is about the fake itself: never faulted, never counted.
  static bool is_control(const request& r) { return r.target.starts_with("/_fake/"); }

 private:
  response control(const request& r);
  response list_bucket(const std::string& name);

  fake_s3& s3_;
  fake_dynamodb& dynamodb_;
};

}  // namespace dynabackup::fakes
