#include "simulation/recorder.hpp"

#include <algorithm>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::simulation {

std::string body_of(const std::string& canonical_item) {
  return std::string(archive::body_head) + canonical_item + std::string(archive::body_tail);
}

void recorder::write_to(std::string bucket, std::string prefix, std::string stream_label) {
  bucket_ = std::move(bucket);
  prefix_ = std::move(prefix);
  label_ = std::move(stream_label);
}

/// Mostly at once, as a Lambda is called; sometimes far behind.
milliseconds recorder::lag() {
  return dice_.one_in(3) ? dice_.between(milliseconds{0}, milliseconds{90'000})
                         : dice_.between(milliseconds{0}, milliseconds{600});
}

void recorder::record(const std::string& key, const std::string& canonical_item, std::uint64_t sequence) {
  std::string body = body_of(canonical_item);
  std::string md5 = crypto::md5_hex(body);
  store_.put(bucket_, prefix_ + archive::object_name(key), std::move(body),
             {{"source", "stream"},
              {"md5", std::move(md5)},
              {"stream", label_},
              {"sequence-number", std::to_string(sequence)},
              {"changed-at", text::rfc3339(time_.wall())}});
}

void recorder::take(const fakes::table_change& change) {
  milliseconds& free = busy_until_[change.key];
  free = std::max(free + milliseconds{1}, time_.elapsed() + lag());
  time_.at(free, [this, change] {
    if (change.after)
      record(change.key, *change.after, change.sequence);
    else
      store_.remove(bucket_, prefix_ + archive::object_name(change.key));
  });
}

}  // namespace dynabackup::simulation
