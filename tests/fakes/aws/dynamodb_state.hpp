// The inside of fake_dynamodb: its tables and what every operation needs of them.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/canonical_json.hpp"
#include "fakes/aws/dynamodb_items.hpp"
#include "fakes/aws/dynamodb_request.hpp"
#include "fakes/aws/dynamodb_stream.hpp"
#include "fakes/aws/fake_dynamodb.hpp"
#include "fakes/aws/synthetic_table.hpp"

namespace dynabackup::fakes {

struct synthetic_source {
  std::uint64_t count;
  std::size_t item_bytes;
  synthetic_items items;
};

struct table_statistics {
  std::uint64_t puts = 0;
  std::uint64_t written_again = 0;  ///< puts of exactly the item that was there
  std::uint64_t deletes = 0;
  double read_units = 0;
  double write_units = 0;
};

struct table_state {
  table_state(std::string name, dynamodb::key_schema schema, std::chrono::milliseconds remembered)
      : name(std::move(name)), key(std::move(schema)), store(key, remembered) {}

  std::string name;
  std::string arn;
  std::string id;
  dynamodb::key_schema key;
  wall_time created{};
  bool provisioned = false;
  bool deletion_protected = false;
  item_store store;
  std::optional<synthetic_source> synthetic;
  std::uint64_t changes = 0;
  std::shared_ptr<change_stream> stream;  ///< the enabled one
  std::vector<std::function<void(const table_change&)>> hooks;
  table_statistics counted;
  std::map<std::string, std::string> shown;  ///< fake_dynamodb::items
};

struct item_and_key {
  stored_item item;
  std::string key;  ///< canonical
};

struct dynamodb_state {
  std::function<wall_time()> now;
  dynamodb_traits traits;
  std::map<std::string, std::shared_ptr<table_state>> tables;
  std::vector<std::shared_ptr<change_stream>> streams;  ///< also those of the past
  std::map<std::string, std::uint64_t> requests;
  std::uint64_t made = 0;  ///< ids given out
  archive::canonicalizer canonical;

  /// By name or ARN. ResourceNotFoundException: there is none, or it is still being created.
  table_state& table(const std::string& name_or_arn);
  table_state& writable(const std::string& name_or_arn);
  std::shared_ptr<table_state> add_table(const std::string& name, const dynamodb::key_schema& key);
  void open_stream(table_state& t, const std::string& view_type);
  void close_stream(table_state& t);

  /// What DynamoDB checks of an item before it stores it; ValidationException.
  item_and_key checked_item(const table_state& t, std::string_view item);
  /// A key as a request gives it, in canonical form.
  std::string checked_key(const table_state& t, std::string_view key);

  /// Does it: the store, the stream, the counts, the hooks. Returns what was there before.
  std::optional<stored_item> put(table_state& t, item_and_key what);
  std::optional<stored_item> remove(table_state& t, const std::string& key);
  /// How it answers an eventually consistent read; nullopt: as it is.
  [[nodiscard]] std::optional<wall_time> read_moment(bool consistent);

 private:
  void changed(table_state& t, const std::string& key, const std::optional<stored_item>& before,
               std::optional<std::string> after);
};

// The operations: a request's members in, the answer's body out; api_error.
std::string create_table(dynamodb_state& s, const members& m);
std::string describe_table(dynamodb_state& s, const members& m);
std::string list_tables(dynamodb_state& s, const members& m);
std::string update_table(dynamodb_state& s, const members& m);
std::string delete_table(dynamodb_state& s, const members& m);
std::string put_item(dynamodb_state& s, const members& m);
std::string get_item(dynamodb_state& s, const members& m);
std::string delete_item(dynamodb_state& s, const members& m);
std::string scan(dynamodb_state& s, const members& m);
std::string batch_get_item(dynamodb_state& s, const members& m);
std::string batch_write_item(dynamodb_state& s, const members& m);
std::string list_streams(dynamodb_state& s, const members& m);
std::string describe_stream(dynamodb_state& s, const members& m);
std::string shard_iterator(dynamodb_state& s, const members& m);
std::string stream_records(dynamodb_state& s, const members& m);

/// KeySchema's value.
std::string key_schema_json(const dynamodb::key_schema& key);
std::string epoch_seconds(wall_time at);

}  // namespace dynabackup::fakes
