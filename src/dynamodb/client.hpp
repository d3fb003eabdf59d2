// The DynamoDB calls we make (JSON 1.0, API version 2012-08-10). Each throws service_error for what DynamoDB refuses.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/transport.hpp"
#include "dynamodb/json_call.hpp"
#include "dynamodb/scan_page.hpp"
#include "dynamodb/table_description.hpp"
#include "dynamodb/write_batch.hpp"

namespace dynabackup::dynamodb {

/// One segment of a parallel Scan (Segment, TotalSegments).
struct segment {
  std::uint32_t number = 0;
  std::uint32_t total = 1;
};

struct scan_options {
  byte_budget* budget = nullptr;  ///< the page's body is charged to it before it is read
  bool consistent = false;        ///< ConsistentRead, at twice the price
  std::uint64_t limit = 0;        ///< most items a page; 0 = DynamoDB's megabyte
};

class client {
 public:
  /// `network`: the signed, retried stack; `at`: where the service is (its base path is kept).
  client(transport& network, origin at, std::string base_path = {});

  task<table_description> describe_table(std::string table);
  /// UpdateTable: a stream of new and old images. A table has one stream, and its view type cannot be changed without
  /// ending it, which is a gap: old images are there for the reader who comes later. DescribeTable tells when it is on.
  task<void> enable_stream(std::string table);
  task<scan_page> scan(std::string table, segment part, std::optional<std::string> start, scan_options options);
  task<write_outcome> batch_write_item(std::string body, std::string table);
  /// Strongly consistent. `key_json`: {"id":{"S":"x"}}. The item's JSON, or nullopt when there is none.
  task<std::optional<std::string>> get_item(std::string table, std::string key_json);

 private:
  task<response> call(std::string_view operation, const std::string& table, std::string body, byte_budget* budget,
                      std::size_t max_response_bytes);
  json_service service_;
};

}  // namespace dynabackup::dynamodb
