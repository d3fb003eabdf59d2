#include "fakes/server/socket_faults.hpp"

#include <doctest/doctest.h>
#include <map>
#include <string>

#include "crypto/crc32.hpp"
#include "fakes/server/operation.hpp"
#include "fakes/server/response_bytes.hpp"

namespace dynabackup::fakes {
namespace {

request s3_request(std::string method, std::string target) {
  request r;
  r.method = std::move(method);
  r.target = std::move(target);
  return r;
}

request scan() {
  request r = s3_request("POST", "/");
  r.headers = {{"x-amz-target", "DynamoDB_20120810.Scan"}};
  return r;
}

std::map<fault_kind, int> met(socket_faults& faults, const request& r, int requests) {
  std::map<fault_kind, int> kinds;
  for (int i = 0; i < requests; ++i)
    if (const auto f = faults.decide(r)) ++kinds[f->kind];
  return kinds;
}

int sum(const std::map<fault_kind, int>& kinds) {
  int all = 0;
  for (const auto& [kind, count] : kinds) all += count;
  return all;
}

TEST_CASE("the wanted fraction of requests is faulted, by every kind that fits them") {
  socket_faults faults(0.1, 1);
  const auto of_put = met(faults, s3_request("PUT", "/b/k"), 20'000);
  CHECK(sum(of_put) > 1800);
  CHECK(sum(of_put) < 2200);
  CHECK(of_put.size() == 14);
  const auto of_scan = met(faults, scan(), 20'000);
  CHECK(of_scan.size() == 15);
  CHECK(of_scan.contains(fault_kind::flipped_byte));
  const auto of_completion = met(faults, s3_request("POST", "/b/k?uploadId=u"), 20'000);
  CHECK(of_completion.size() == 15);
  CHECK(of_completion.contains(fault_kind::completion_error));
  socket_faults none(0, 1);
  CHECK(sum(met(none, scan(), 1000)) == 0);
  socket_faults some(1, 1, {fault_kind::reset, fault_kind::completion_error});
  CHECK(met(some, scan(), 1000) == std::map<fault_kind, int>{{fault_kind::reset, 1000}});
  socket_faults never(1, 1, {fault_kind::completion_error});
  CHECK(sum(met(never, scan(), 1000)) == 0);
  socket_faults always(1, 1);
  CHECK(sum(met(always, scan(), 1000)) == 1000);
}

TEST_CASE("an effect comes up to a minute late, connections are refused for up to 20 ms") {
  const auto longest = [](fault_kind kind) {
    socket_faults faults(1, 1, {kind});
    std::chrono::milliseconds most{0};
    for (int i = 0; i < 2000; ++i) most = std::max(most, faults.decide(scan())->delay);
    return most.count();
  };
  CHECK(longest(fault_kind::late_effect) > 55'000);
  CHECK(longest(fault_kind::late_effect) <= 60'000);
  CHECK(longest(fault_kind::refused) > 15);
  CHECK(longest(fault_kind::refused) <= 20);
}

TEST_CASE("the same seed decides the same, another one does not") {
  const auto decisions = [](std::uint64_t seed) {
    socket_faults faults(0.5, seed);
    std::string all;
    for (int i = 0; i < 200; ++i) {
      const auto f = faults.decide(scan());
      all += f ? std::string(name_of(f->kind)) + std::to_string(f->chance) + std::to_string(f->delay.count()) : "-";
    }
    return all;
  };
  CHECK(decisions(7) == decisions(7));
  CHECK(decisions(7) != decisions(8));
}

TEST_CASE("a batch is cut short as often as requests are faulted, and then never done whole") {
  socket_faults faults(0.2, 3);
  int cut = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::size_t done = faults.processed(25);
    CHECK(done <= 25);
    cut += done < 25 ? 1 : 0;
  }
  CHECK(cut > 900);
  CHECK(cut < 1100);
  socket_faults none(0, 3);
  CHECK(none.processed(25) == 25);
  CHECK(faults.processed(0) == 0);
  socket_faults unthrottled(1, 3, {fault_kind::late});
  CHECK(unthrottled.processed(25) == 25);
}

TEST_CASE("stand-ins look as the services' own answers do") {
  const socket_faults faults(1, 1);
  const request put = s3_request("PUT", "/b/k");
  CHECK(faults.stand_in({.kind = fault_kind::error_html}, put).status == 500);
  CHECK(faults.stand_in({.kind = fault_kind::error_html}, put).body.starts_with("<!DOCTYPE html>"));
  CHECK(faults.stand_in({.kind = fault_kind::error_empty}, put).status == 503);
  CHECK(faults.stand_in({.kind = fault_kind::error_empty}, put).body.empty());
  const response slow = faults.stand_in({.kind = fault_kind::throttled}, put);
  CHECK(slow.status == 503);
  CHECK(slow.body.find("<Code>SlowDown</Code>") != std::string::npos);
  const response exceeded = faults.stand_in({.kind = fault_kind::throttled, .chance = 2}, scan());
  CHECK(exceeded.status == 400);
  CHECK(exceeded.body.find("#ProvisionedThroughputExceededException") != std::string::npos);
  CHECK(exceeded.header_value("x-amz-crc32") == std::to_string(crypto::crc32(exceeded.body)));
  CHECK(faults.stand_in({.kind = fault_kind::throttled, .chance = 3}, scan()).body.find("#ThrottlingException") !=
        std::string::npos);
  CHECK(faults.stand_in({.kind = fault_kind::error_service}, scan()).status == 500);
  const response completion = faults.stand_in({.kind = fault_kind::completion_error}, s3_request("POST", "/b/k"));
  CHECK(completion.status == 200);
  CHECK(completion.body.find("    <Error><Code>InternalError</Code>") != std::string::npos);
}

TEST_CASE("cuts lie within the head or the body, flips change one bit") {
  for (std::uint64_t chance = 0; chance < 300; ++chance) {
    const std::size_t in_head = cut_at({.kind = fault_kind::cut_head, .chance = chance}, 100, 50);
    CHECK(in_head >= 1);
    CHECK(in_head < 100);
    const std::size_t in_body = cut_at({.kind = fault_kind::cut_body, .chance = chance}, 100, 50);
    CHECK(in_body >= 100);
    CHECK(in_body < 150);
    CHECK(cut_at({.kind = fault_kind::cut_body, .chance = chance}, 100, 0) < 100);
  }
  std::string body = "abc";
  flip({.kind = fault_kind::flipped_byte, .chance = 1 + (std::uint64_t{2} << 32)}, body);
  CHECK(body == "afc");
  std::string empty;
  flip({.kind = fault_kind::flipped_byte, .chance = 5}, empty);
  CHECK(empty.empty());
}

TEST_CASE("operations have AWS's names") {
  struct row {
    std::string method, target, operation;
  };
  const std::vector<row> rows{{"PUT", "/b/k", "PutObject"},
                              {"PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"},
                              {"GET", "/b/k?versionId=v", "GetObject"},
                              {"HEAD", "/b/a/b", "HeadObject"},
                              {"DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"},
                              {"POST", "/b/k?uploads", "CreateMultipartUpload"},
                              {"POST", "/b/k?uploadId=u", "CompleteMultipartUpload"},
                              {"GET", "/b?list-type=2&prefix=a", "ListObjectsV2"},
                              {"GET", "/b/?versions=", "ListObjectVersions"},
                              {"GET", "/b?prefix=versions", "unknown"},
                              {"POST", "/b?delete", "DeleteObjects"},
                              {"PUT", "/b", "CreateBucket"},
                              {"GET", "/", "ListBuckets"},
                              {"PATCH", "/b/k", "unknown"}};
  for (const row& r : rows) {
    CAPTURE(r.target);
    CHECK(operation_of(s3_request(r.method, r.target)) == r.operation);
  }
  CHECK(operation_of(scan()) == "Scan");
  CHECK(is_dynamodb(scan()));
}

}  // namespace
}  // namespace dynabackup::fakes
