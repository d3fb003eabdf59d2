#include "dynamodb/scan_page.hpp"

#include <limits>

#include "dynamodb/json_cursor.hpp"

namespace dynabackup::dynamodb {
namespace {

double read_capacity(json_cursor& at) {
  double units = 0;
  at.enter('{');
  while (const auto name = at.next_member()) {
    if (*name == "CapacityUnits") {
      units = at.number();
    } else {
      at.value();
    }
  }
  return units;
}

}  // namespace

scan_page::scan_page(response answer) : answer_(std::move(answer)) {
  json_cursor at(answer_.body, "Scan answer");
  if (answer_.body.size() > std::numeric_limits<std::uint32_t>::max()) at.fail("more than 4 GiB");
  bool has_items = false;
  std::optional<std::uint64_t> count;
  at.enter('{');
  while (const auto name = at.next_member()) {
    if (*name == "Items") {
      if (has_items) at.fail("Items twice");
      has_items = true;
      read_items(at);
    } else if (*name == "Count") {
      count = at.count();
    } else if (*name == "LastEvaluatedKey") {
      next_ = at.object();
    } else if (*name == "ConsumedCapacity") {
      consumed_capacity_ = read_capacity(at);
    } else {
      at.value();
    }
  }
  at.end();
  if (!has_items) at.fail("no Items");
  if (count != items_.size()) at.fail("Count is not the number of Items");
}

void scan_page::read_items(json_cursor& at) {
  at.enter('[');
  while (at.next_element()) {
    const std::string_view item = at.object();
    items_.push_back(
        {static_cast<std::uint32_t>(item.data() - answer_.body.data()), static_cast<std::uint32_t>(item.size())});
  }
}

std::string_view scan_page::item(std::size_t i) const {
  return std::string_view(answer_.body).substr(items_[i].offset, items_[i].length);
}

}  // namespace dynabackup::dynamodb
