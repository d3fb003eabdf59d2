// Changes of a table as DynamoDB Streams tells them: a Lambda event or a GetRecords answer, to records whose items are
// slices of the document. Strict about what decides, blind to what it does not know. A record that cannot be read is
// `undecodable` and says why; it never spoils its neighbours. Pure.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::dynamodb {

/// Most records of one document; Lambda's largest batch.
inline constexpr std::size_t max_stream_records = 10'000;
/// Digits of a sequence number; AWS gives 21 to 40.
inline constexpr std::size_t max_sequence_digits = 40;

struct stream_record {
  enum class change { put, remove, undecodable };
  change what = change::undecodable;
  std::string_view raw;                    ///< the whole record
  std::string_view keys;                   ///< DynamoDB JSON, not looked into; empty where the record has none
  std::string_view new_image;              ///< likewise; of a put in a stream that has new images
  std::string sequence_number;             ///< 1 to 40 digits; empty where it has none
  std::chrono::milliseconds changed_at{};  ///< since the epoch; 0: the record does not tell
  std::string view_type;                   ///< StreamViewType
  std::string source_arn;                  ///< of the stream; in Lambda events only
  std::string problem;                     ///< undecodable: why, without content
};

/// Moving keeps the slices valid.
struct stream_records {
  stream_records() = default;
  stream_records(stream_records&&) noexcept = default;
  stream_records& operator=(stream_records&&) noexcept = default;

  std::string document;
  std::vector<stream_record> records;
  std::optional<std::string> next_iterator;  ///< GetRecords: absent at the end of a shard
};

/// The event that Lambda hands a function: {"Records":[…]}. format_error when it is no such event.
stream_records read_stream_event(std::string body);
/// The answer to GetRecords.
stream_records read_get_records(std::string body);

/// a < b as numbers of any length; digits only.
bool sequence_less(std::string_view a, std::string_view b);

/// arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL
struct stream_name {
  std::string table;
  std::string label;
};
/// nullopt: not the ARN of a stream.
std::optional<stream_name> parse_stream_arn(std::string_view arn);

}  // namespace dynabackup::dynamodb
