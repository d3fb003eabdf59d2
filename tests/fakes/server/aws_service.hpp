// All of aws-fake behind one function: S3, DynamoDB, and the endpoints that tell a test what happened.
#pragma once
#include <functional>

#include "fakes/aws/fake_s3.hpp"
#include "fakes/server/traffic.hpp"

namespace dynabackup::fakes {

class aws_service {
 public:
  explicit aws_service(fake_s3& s3) : s3_(s3) {}

  /// Where requests with X-Amz-Target go.
  std::function<response(const request&)> dynamodb;
  /// What GET /_fake/tables and /_fake/table/NAME answer.
  std::function<std::string()> table_statistics;
  std::function<std::string(const std::string& name)> table_digest;
  traffic seen;

  response handle(const request& r);
  /// Whether a request is about the fake itself: never faulted, never counted.
  static bool is_control(const request& r) { return r.target.starts_with("/_fake/"); }

 private:
  response control(const request& r);
  response list_bucket(const std::string& name);

  fake_s3& s3_;
};

}  // namespace dynabackup::fakes
