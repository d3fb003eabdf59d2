#define OPENSSL_SUPPRESS_DEPRECATED
#include "fakes/aws/s3_store.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <openssl/md5.h>

#include "text/codecs.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

constexpr std::size_t half_id = 16;
constexpr std::size_t usual_attributes = 120;
// Odd, so that multiplying by it loses nothing.
constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;
constexpr std::uint64_t other_spread = 0xd1342543de82ef95;

constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 6; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(spread * inverse_of(spread) == 1);

std::string id_text(std::uint64_t sequence) {
  std::string id;
  id.reserve(2 * half_id);
  append_hex(id, sequence * spread);
  append_hex(id, (sequence + 1) * other_spread);
  return id;
}

}  // namespace

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  char text[half_id];
  for (std::size_t i = half_id; i-- > 0; value >>= 4) text[i] = digits[value & 15];
  out.append(text, half_id);
}

md5_digest md5_of(std::string_view bytes) {
  md5_digest out;
  MD5_CTX context;
  MD5_Init(&context);
  MD5_Update(&context, bytes.data(), bytes.size());
  MD5_Final(out.data(), &context);
  return out;
}

std::string entity_tag::text() const {
  std::string hex = text::hex({reinterpret_cast<const char*>(md5.data()), md5.size()});
  return parts == 0 ? hex : fmt::format("{}-{}", hex, parts);
}

attributes::attributes(std::string_view content_type) {
  if (content_type.empty()) return;
  text_.reserve(usual_attributes);
  add(content_type);
}

void attributes::add(std::string_view text) {
  text_ += text;
  text_ += '\0';
}

void attributes::add_meta(std::string_view name, std::string_view value) {
  add(name);
  add(value);
}

std::string_view attributes::content_type() const { return text_.c_str(); }

std::vector<std::pair<std::string_view, std::string_view>> attributes::meta() const {
  std::vector<std::pair<std::string_view, std::string_view>> found;
  std::string_view rest = text_;
  const auto take = [&rest] {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(text.size() + 1);
    return text;
  };
  if (!rest.empty()) take();
  while (!rest.empty()) {
    const std::string_view name = take();
    found.emplace_back(name, take());
  }
  return found;
}

std::string version::id() const { return null_id ? "null" : id_text(sequence); }

std::optional<std::uint64_t> sequence_of_id(std::string_view text) {
  if (text.size() != 2 * half_id) return std::nullopt;
  std::uint64_t spread_out = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + half_id, spread_out, 16);
  if (failure != std::errc{} || end != text.data() + half_id) return std::nullopt;
  const std::uint64_t sequence = spread_out * inverse_of(spread);
  return id_text(sequence) == text ? std::optional(sequence) : std::nullopt;
}

const version* bucket::current(std::string_view key) const {
  const chain* const versions = keys.find(key);
  return versions == nullptr ? nullptr : &versions->back();
}

const version* bucket::object(std::string_view key) const {
  const version* const latest = current(key);
  return latest == nullptr || latest->marker() ? nullptr : latest;
}

const version& bucket::add(std::string_view key, version v) {
  chain& versions = keys.make(key);
  v.null_id = versioning != versioning_state::enabled;
  if (v.null_id) {
    versions.erase(std::ranges::remove_if(versions, [](const version& old) { return old.null_id; }).begin(),
                   versions.end());
  }
  return versions.emplace_back(std::move(v));
}

std::optional<version> bucket::erase(std::string_view key, std::string_view id) {
  chain* const versions = keys.find(key);
  if (versions == nullptr) return std::nullopt;
  const auto which = std::ranges::find_if(*versions, [&](const version& v) { return v.is(id); });
  if (which == versions->end()) return std::nullopt;
  version gone = std::move(*which);
  versions->erase(which);
  if (versions->empty()) keys.erase(key);
  return gone;
}

}  // namespace dynabackup::fakes::s3_store
