// gaps/<name>.json and dead-letter/<name>.json: what of a stream was not recorded (docs/format.md, "Gaps and dead
// letters"). Pure.
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/s3_location.hpp"

namespace dynabackup::archive {

/// A stretch of a stream. What is not known is empty.
struct gap {
  int format = 1;
  std::string stream;  ///< ARN
  std::string shard{};
  std::string from_sequence{};  ///< first and last change that may be missing
  std::string to_sequence{};
  std::string from{};  ///< RFC 3339, UTC
  std::string to{};
  std::string reason;
};
std::string write_gap(const gap& g);
gap read_gap(std::string_view body);

/// A change that cannot be read, as the stream gave it.
struct dead_letter {
  std::string stream;  ///< ARN
  std::string sequence_number;
  std::string changed_at;  ///< RFC 3339, or empty
  std::string reason;
  std::string_view record;  ///< any bytes
};
/// The same bytes for the same record, however often it is delivered.
std::string write_dead_letter(const dead_letter& d);

/// `name` as name_of_change gives it, or another that is made of the same characters.
std::string gap_key(const s3_location& home, std::string_view name);
std::string dead_letter_key(const s3_location& home, std::string_view name);
/// "<label>-<sequence number>", the label's ':' as '-'; for a record without number with the first 32 digits of its
/// SHA-256 instead.
std::string name_of_change(std::string_view label, std::string_view sequence_number, std::string_view record);

}  // namespace dynabackup::archive
