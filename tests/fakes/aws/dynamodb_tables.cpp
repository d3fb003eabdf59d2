// CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable.
#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "fakes/aws/dynamodb_state.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t max_names = 100;

void check_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  };
  if (name.size() >= 3 && name.size() <= 255 && std::all_of(name.begin(), name.end(), allowed)) return;
  throw validation(
      "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may "
      "contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'");
}

char defined_type(const members& m, const std::string& attribute) {
  for (const auto raw : elements(m.require("AttributeDefinitions"))) {
    const members definition(raw);
    if (definition.require_text("AttributeName") != attribute) continue;
    const std::string type = definition.require_text("AttributeType");
    if (type == "S" || type == "N" || type == "B") return type[0];
    throw validation("Member must satisfy enum value set: [B, N, S]");
  }
  throw validation(
      "One or more parameter values were invalid: Some index key attributes are not defined in "
      "AttributeDefinitions.");
}

dynamodb::key_schema requested_key(const members& m) {
  dynamodb::key_schema key;
  for (const auto raw : elements(m.require("KeySchema"))) {
    const members attribute(raw);
    const std::string role = attribute.require_text("KeyType");
    if (role != (key.empty() ? "HASH" : "RANGE")) {
      throw validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    }
    const std::string name = attribute.require_text("AttributeName");
    key.push_back({name, defined_type(m, name)});
  }
  if (key.empty() || key.size() > 2) throw validation("KeySchema must have one or two attributes");
  if (key.size() != elements(m.require("AttributeDefinitions")).size()) {
    throw validation(
        "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly "
        "match number of attributes defined in AttributeDefinitions");
  }
  return key;
}

/// Does what a StreamSpecification says; false: there is none.
bool specify_stream(dynamodb_state& s, table_state& t, const members& m) {
  const auto raw = m.raw("StreamSpecification");
  if (!raw) return false;
  const members specification(*raw);
  if (!specification.flag("StreamEnabled")) {
    s.close_stream(t);
    return true;
  }
  const std::string view = specification.require_text("StreamViewType");
  if (view != "NEW_IMAGE" && view != "OLD_IMAGE" && view != "NEW_AND_OLD_IMAGES" && view != "KEYS_ONLY") {
    throw validation("Member must satisfy enum value set: [NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]");
  }
  if (t.stream) throw validation("Table already has an enabled stream: TableName: " + t.name);
  s.open_stream(t, view);
  return true;
}

std::string attribute_definitions(const dynamodb::key_schema& key) {
  std::string result;
  for (const auto& attribute : key) {
    if (!result.empty()) result += ',';
    result +=
        fmt::format(R"({{"AttributeName":{},"AttributeType":"{}"}})", json_string(attribute.name), attribute.type);
  }
  return '[' + result + ']';
}

std::string description(dynamodb_state& s, const table_state& t, std::string_view status) {
  const std::uint64_t items = t.synthetic ? t.synthetic->count : t.store.count();
  const std::uint64_t bytes = t.synthetic ? items * t.synthetic->items.size() : t.store.size_bytes();
  std::string result = fmt::format(
      R"({{"AttributeDefinitions":{},"TableName":{},"KeySchema":{},"TableStatus":"{}","CreationDateTime":{},)"
      R"("TableArn":{},"TableId":{},"ItemCount":{},"TableSizeBytes":{},"DeletionProtectionEnabled":{})",
      attribute_definitions(t.key), json_string(t.name), key_schema_json(t.key), status, epoch_seconds(t.created),
      json_string(t.arn), json_string(t.id), items, bytes, t.deletion_protected);
  if (!t.provisioned) {
    result += fmt::format(
        R"(,"BillingModeSummary":{{"BillingMode":"PAY_PER_REQUEST","LastUpdateToPayPerRequestDateTime":{}}})",
        epoch_seconds(t.created));
  }
  const int units = t.provisioned ? 5 : 0;
  result += fmt::format(
      R"(,"ProvisionedThroughput":{{"NumberOfDecreasesToday":0,"ReadCapacityUnits":{0},"WriteCapacityUnits":{0}}})",
      units);
  if (t.stream) {
    result += fmt::format(
        R"(,"StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"{}"}},"LatestStreamArn":{},"LatestStreamLabel":{})",
        t.stream->view_type, json_string(t.stream->arn), json_string(t.stream->label));
  } else {
    const auto latest = std::find_if(s.streams.rbegin(), s.streams.rend(),
                                     [&](const auto& stream) { return stream->arn.starts_with(t.arn + "/stream/"); });
    if (latest != s.streams.rend() && (*latest)->created >= t.created) {
      result += fmt::format(R"(,"LatestStreamArn":{},"LatestStreamLabel":{})", json_string((*latest)->arn),
                            json_string((*latest)->label));
    }
  }
  return result + '}';
}

}  // namespace

std::string epoch_seconds(wall_time at) {
  const auto millis = at.time_since_epoch().count();
  return fmt::format("{}.{:03}", millis / 1000, millis % 1000);
}

std::string key_schema_json(const dynamodb::key_schema& key) {
  std::string result;
  for (const auto& attribute : key) {
    const bool first = result.empty();
    if (!first) result += ',';
    result +=
        fmt::format(R"({{"AttributeName":{},"KeyType":"{}"}})", json_string(attribute.name), first ? "HASH" : "RANGE");
  }
  return '[' + result + ']';
}

std::string create_table(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput",
           "StreamSpecification", "DeletionProtectionEnabled", "Tags", "TableClass", "SSESpecification"});
  const std::string name = m.require_text("TableName");
  check_name(name);
  const dynamodb::key_schema key = requested_key(m);
  const bool provisioned = m.text("BillingMode").value_or("PROVISIONED") == "PROVISIONED";
  if (provisioned && !m.raw("ProvisionedThroughput")) {
    throw validation(
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be "
        "specified when BillingMode is PROVISIONED");
  }
  const auto t = s.add_table(name, key);
  t->provisioned = provisioned;
  t->deletion_protected = m.flag("DeletionProtectionEnabled");
  specify_stream(s, *t, m);
  const bool waits = s.traits.creation_time.count() > 0;
  return R"({"TableDescription":)" + description(s, *t, waits ? "CREATING" : "ACTIVE") + '}';
}

std::string describe_table(dynamodb_state& s, const members& m) {
  m.allow({"TableName"});
  const std::string name = m.require_text("TableName");
  const auto creating = s.tables.find(name);
  if (creating != s.tables.end() && s.now() < creating->second->created + s.traits.creation_time) {
    return R"({"Table":)" + description(s, *creating->second, "CREATING") + '}';
  }
  return R"({"Table":)" + description(s, s.table(name), "ACTIVE") + '}';
}

std::string list_tables(dynamodb_state& s, const members& m) {
  m.allow({"ExclusiveStartTableName", "Limit"});
  const std::size_t limit = std::min<std::size_t>(max_names, m.number("Limit").value_or(max_names));
  if (limit == 0) throw validation("1 validation error detected: Value '0' at 'limit' failed to satisfy constraint");
  const auto after = m.text("ExclusiveStartTableName");
  auto at = after ? s.tables.upper_bound(*after) : s.tables.begin();
  std::string names;
  std::string last;
  for (std::size_t n = 0; n < limit && at != s.tables.end(); ++n, ++at) {
    if (n > 0) names += ',';
    last = json_string(at->first);
    names += last;
  }
  const std::string more = at == s.tables.end() ? "" : R"(,"LastEvaluatedTableName":)" + last;
  return R"({"TableNames":[)" + names + ']' + more + '}';
}

std::string update_table(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "StreamSpecification", "DeletionProtectionEnabled"});
  table_state& t = s.table(m.require_text("TableName"));
  const bool protection = m.raw("DeletionProtectionEnabled").has_value();
  if (protection) t.deletion_protected = m.flag("DeletionProtectionEnabled");
  if (!specify_stream(s, t, m) && !protection) throw validation("At least one of the updates must be given");
  return R"({"TableDescription":)" + description(s, t, "UPDATING") + '}';
}

std::string delete_table(dynamodb_state& s, const members& m) {
  m.allow({"TableName"});
  table_state& t = s.table(m.require_text("TableName"));
  if (t.deletion_protected) {
    throw validation(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
        "protection first.");
  }
  s.close_stream(t);
  const std::string result = R"({"TableDescription":)" + description(s, t, "DELETING") + '}';
  s.tables.erase(std::string(t.name));
  return result;
}

}  // namespace dynabackup::fakes
