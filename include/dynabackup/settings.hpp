// Everything that can be set, as plain structs with defaults. Front ends fill them in; the library reads no
// environment.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "dynabackup/moment.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup {

/// Where credentials come from (aws-protocol: environment, shared files). Values are looked up once, through
/// `environment`, so that a test or an embedder decides what it sees.
struct credential_settings {
  std::function<std::optional<std::string>(const std::string&)> environment;  ///< like getenv; unset or empty = nullopt
  std::optional<std::string> profile;  ///< explicitly chosen; beats environment keys
};

struct dynamodb_settings {
  std::string region;
  std::optional<std::string> endpoint;  ///< "http://localhost:8000"; absent = the region's
  std::size_t parallelism = 32;         ///< most requests in flight; a power of two, 1…1024
  std::size_t segments = 0;             ///< of a parallel scan; 0 = chosen from parallelism and table size
  double max_read_units = 0;            ///< ceiling on consumed read units a second, all workers together; 0 = none
  double max_write_units = 0;           ///< likewise for write units
  std::optional<std::string> streams_endpoint{};  ///< of DynamoDB Streams; absent = `endpoint`, or the region's
};

struct s3_settings {
  std::string region;
  std::optional<std::string> endpoint;
  bool path_style = false;
  std::size_t parallelism = 32;  ///< as above, counted apart
  std::string sse;               ///< "", "AES256", "aws:kms" or "aws:kms:dsse"
  std::string kms_key_id;
};

/// Asked by follow whether a function reads the stream too, and by nobody else.
struct lambda_settings {
  /// Absent = the table's region's; nobody is asked where the table has an endpoint of the user's and this has none.
  std::optional<std::string> endpoint;
};

struct endpoint_settings {
  bool use_fips = false;
  bool use_dualstack = false;
};

struct settings {
  dynamodb_settings dynamodb;
  s3_settings s3;
  lambda_settings lambda{};
  endpoint_settings endpoints;
  credential_settings credentials;
  std::string ca_bundle;                              ///< PEM file; empty = the system's
  std::size_t memory_bytes = std::size_t{32} << 20;   ///< the byte budget of a run (design promise 4)
  int max_attempts = 10;                              ///< of one request, the first included
  std::chrono::milliseconds idle_connection{20'000};  ///< one that rested longer is not used again
};

struct backfill_options {
  std::string table;
  s3_location to;
  bool unversioned = false;  ///< accept a bucket whose versioning is not Enabled
  bool adopt = false;        ///< accept a recreated table or a new ARN under a known descriptor
  bool sweep_only = false;   ///< scan nothing: sweep behind runs that were left open, and close them
  bool dry_run = false;      ///< only say what would be done
};

enum class compression { gzip, zstd, none };

struct snapshot_options {
  s3_location from;
  s3_location to;
  std::string name;  ///< empty = the time of the state, "2026-11-22T11-45-03Z.json.gz"
  bool overwrite = false;
  compression codec = compression::gzip;
  bool dry_run = false;            ///< only say what would be done
  std::optional<moment> at{};      ///< the state at the end of that second; absent: the current one
  bool accept_incomplete = false;  ///< of a past moment: also where it cannot be told for sure; not covered then
};

struct restore_options {
  s3_location from;
  std::string name;
  std::string table;
  bool resume = false;   ///< go on where the checkpoint of an earlier restore says
  bool dry_run = false;  ///< only say what would be done
  std::string state;     ///< where checkpoints are kept: a local folder, "s3" (beside the snapshot), empty = nowhere
};

struct past_restore_options {
  s3_location from;  ///< an incremental bucket
  moment at;
  std::string table;
  bool accept_incomplete = false;  ///< as in a snapshot
  bool dry_run = false;            ///< only say what would be done
};

struct record_options {
  s3_location to;             ///< `{table}` in the prefix stands for the table's name
  std::string stream_arn;     ///< empty: as the records say
  bool coalesce = false;      ///< of a key's changes in a batch only the newest
  bool dead_letters = false;  ///< keep records that cannot be read in the bucket and go on; the backup has a gap then
  bool unversioned = false;   ///< as in a backfill
  bool adopt = false;         ///< likewise
};

struct follow_options {
  std::string table;
  s3_location to;
  bool enable_stream = false;  ///< switch the table's stream on where it has none
  bool coalesce = false;       ///< as above
  bool dead_letters = false;
  bool unversioned = false;
  bool adopt = false;
};

}  // namespace dynabackup
