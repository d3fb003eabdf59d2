// The versions of one item that an incremental bucket holds, told one after the other: history and show.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "dynabackup/moment.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup {

struct item_options {
  s3_location from;
  std::vector<std::string> key;  ///< DynamoDB JSON of the key attributes, or "name=value" for each of them
  std::optional<moment> at{};    ///< show: the version that was current then; absent: the newest
};

/// Which item it is.
struct item_subject {
  std::string table;
  std::string key;     ///< canonical DynamoDB JSON
  std::string object;  ///< s3://…
  std::string at;      ///< show: the moment meant, RFC 3339; empty: now
};

/// One attribute, or a part of it, that is not what it was in the version before.
struct item_change {
  enum class kind {
    added,     ///< `after`
    removed,   ///< `before`
    replaced,  ///< `before` by `after`
    elements,  ///< of a set: those in `before` went, those in `after` came; either may be empty
    inside     ///< of a map or list: `parts`
  };
  kind what;
  std::string name;       ///< a JSON string with its quotes; empty: an element of a list
  std::size_t index = 0;  ///< of that element: where it was if it was removed, else where it is
  std::string before{};   ///< canonical attribute values
  std::string after{};
  std::vector<item_change> parts{};
};

struct item_version {
  enum class origin { stream, backfill, deletion, unknown };
  std::string version_id;
  std::string arrived;  ///< in the bucket; RFC 3339, as all times here
  origin by = origin::unknown;
  std::string changed_at;  ///< these two of the stream's; empty where it gave none
  std::string sequence_number;
  std::string stream;  ///< label of the stream
  std::string run;     ///< of the backfill
  bool current = false;
  std::string item;     ///< canonical; empty: deleted, or `problem`
  std::string problem;  ///< why the version cannot be read as this item
  bool oldest = false;  ///< the bucket has none before it
  /// To the version before; where there is none or a delete marker, each attribute was added. Nothing: not compared.
  std::optional<std::vector<item_change>> changes;
};

/// Called while an operation runs: once with the subject, then with each version. What it throws ends the operation.
class item_listener {
 public:
  virtual ~item_listener() = default;
  virtual void subject(const item_subject& which) = 0;
  virtual void version(const item_version& one) = 0;
};

}  // namespace dynabackup
