#include "fakes/server/options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>

#include "dynabackup/error.hpp"

namespace dynabackup::fakes {

const char* const usage =
    "usage: aws-fake [options]      an AWS in memory: S3 (path style) and DynamoDB on one port of 127.0.0.1\n"
    "  --port N                     0, the default: any that is free; stdout tells which\n"
    "  --bucket NAME[:unversioned]  a bucket, versioned unless it says otherwise\n"
    "  --table NAME:ITEMS[:BYTES]   a synthetic table of that many items of about BYTES (400) each\n"
    "  --create-table NAME:KEY(S|N|B)  an empty table with a partition key of that name and type\n"
    "  --faults P                   the fraction of requests that meet a fault, 0 to 1\n"
    "  --fault-kinds A,B,…          only these (tests/README.md names them)\n"
    "  --seed N                     of the faults\n"
    "  --max-body BYTES             the longest body of a request (64 MiB)\n";

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view wanted) {
  throw usage_error(fmt::format("{} {}: not {}", option, value, wanted));
}

template <class Number>
Number whole(std::string_view option, std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) refuse(option, text, "a number");
  return value;
}

std::string_view take_field(std::string_view& rest) {
  const std::string_view field = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(rest.size(), field.size() + 1));
  return field;
}

fake_options::bucket bucket_of(std::string_view text) {
  std::string_view rest = text;
  const std::string_view name = take_field(rest);
  if (name.empty() || (!rest.empty() && rest != "unversioned")) refuse("--bucket", text, "NAME[:unversioned]");
  return {std::string(name), rest.empty()};
}

fake_options::synthetic_table synthetic_of(std::string_view text) {
  std::string_view rest = text;
  fake_options::synthetic_table table;
  table.name = take_field(rest);
  if (table.name.empty() || rest.empty()) refuse("--table", text, "NAME:ITEMS[:BYTES]");
  table.items = whole<std::uint64_t>("--table", take_field(rest));
  if (!rest.empty()) table.item_bytes = whole<std::size_t>("--table", rest);
  return table;
}

fake_options::empty_table empty_of(std::string_view text) {
  std::string_view rest = text;
  fake_options::empty_table table;
  table.name = take_field(rest);
  const bool shaped = rest.size() > 3 && rest.ends_with(')') && rest[rest.size() - 3] == '(';
  if (table.name.empty() || !shaped) refuse("--create-table", text, "NAME:KEY(S|N|B)");
  table.key = rest.substr(0, rest.size() - 3);
  table.type = rest[rest.size() - 2];
  if (std::string_view("SNB").find(table.type) == std::string_view::npos)
    refuse("--create-table", text, "of type S, N or B");
  return table;
}

std::vector<fault_kind> kinds_of(std::string_view option, std::string_view text) {
  std::vector<fault_kind> kinds;
  for (std::string_view rest = text; kinds.empty() || !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const std::optional<fault_kind> kind = kind_of(name);
    if (!kind) refuse(option, text, "a list of kinds of faults");
    kinds.push_back(*kind);
  }
  return kinds;
}

double fraction(std::string_view option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0 && value <= 1)) refuse(option, text, "a number from 0 to 1");
  return value;
}

}  // namespace

fake_options parse_options(const std::vector<std::string>& arguments) {
  fake_options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option == "--help") {
      options.help = true;
      return options;
    }
    if (i + 1 == arguments.size()) throw usage_error(fmt::format("{}: unknown, or without its value", option));
    const std::string& value = arguments[++i];
    if (option == "--port") {
      options.port = whole<std::uint16_t>(option, value);
    } else if (option == "--bucket") {
      options.buckets.push_back(bucket_of(value));
    } else if (option == "--table") {
      options.synthetic_tables.push_back(synthetic_of(value));
    } else if (option == "--create-table") {
      options.tables.push_back(empty_of(value));
    } else if (option == "--faults") {
      options.faults = fraction(option, value);
    } else if (option == "--fault-kinds") {
      options.fault_kinds = kinds_of(option, value);
    } else if (option == "--seed") {
      options.seed = whole<std::uint64_t>(option, value);
    } else if (option == "--max-body") {
      options.max_body_bytes = whole<std::size_t>(option, value);
    } else {
      throw usage_error(fmt::format("{}: no such option", option));
    }
  }
  return options;
}

}  // namespace dynabackup::fakes
