// One page of a Scan: owns the response body, holds offsets into it, yields each item's bytes exactly as DynamoDB sent
// them. The page is walked to its end before anything is yielded, so that a truncated page yields nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dynabackup/http.hpp"

namespace dynabackup::dynamodb {

class json_cursor;

class scan_page {
 public:
  /// Takes the answer (and its memory charge). format_error: not a Scan answer, truncated, trailing bytes, Count that
  /// differs from the number of items.
  explicit scan_page(response answer);

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  /// The i-th item: a JSON object. Valid while the page lives; moving the page invalidates it.
  [[nodiscard]] std::string_view item(std::size_t i) const;
  /// LastEvaluatedKey as raw JSON, absent on the last page of a segment.
  [[nodiscard]] const std::optional<std::string>& next() const { return next_; }
  [[nodiscard]] double consumed_capacity() const { return consumed_capacity_; }
  [[nodiscard]] std::size_t body_bytes() const { return answer_.body.size(); }

 private:
  struct span {
    std::uint32_t offset, length;
  };
  void read_items(json_cursor& at);

  response answer_;
  std::vector<span> items_;
  std::optional<std::string> next_;
  double consumed_capacity_ = 0;
};

}  // namespace dynabackup::dynamodb
