#include "dynamodb/json_cursor.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::string_view white_space = " \t\n\r";

/// Where the bytes that matter are among 64: bit i stands for byte i.
struct block_masks {
  std::uint64_t backslashes = 0, quotes = 0, opening = 0, closing = 0;
};

#if defined(__SSE2__)
block_masks masks_of(const char* bytes) {
  block_masks masks;
  for (int i = 0; i < 4; ++i) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes) + i);
    // '[' and ']' differ from '{' and '}' in this bit only.
    const __m128i bracket = _mm_or_si128(v, _mm_set1_epi8(0x20));
    const auto equal = [i](__m128i a, char c) {
      return std::uint64_t(std::uint32_t(_mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_set1_epi8(c))))) << (16 * i);
    };
    masks.backslashes |= equal(v, '\\');
    masks.quotes |= equal(v, '"');
    masks.opening |= equal(bracket, '{');
    masks.closing |= equal(bracket, '}');
  }
  return masks;
}
#else
block_masks masks_of(const char* bytes) {
  block_masks masks;
  for (std::size_t i = 0; i < block_bytes; ++i) {
    const auto bit = [i](bool set) { return std::uint64_t(set) << i; };
    masks.backslashes |= bit(bytes[i] == '\\');
    masks.quotes |= bit(bytes[i] == '"');
    masks.opening |= bit((bytes[i] | 0x20) == '{');
    masks.closing |= bit((bytes[i] | 0x20) == '}');
  }
  return masks;
}
#endif

/// Finds the end of a bracketed value, block by block.
class bracket_matcher {
 public:
  /// The offset behind the bracket that closes the value, or nullopt when it is not in this block.
  std::optional<std::size_t> feed(const char* bytes) {
    block_masks masks = masks_of(bytes);
    const std::uint64_t quotes = masks.quotes & ~escaped(masks.backslashes);
    const std::uint64_t in_string = in_strings(quotes);
    masks.opening &= ~in_string;
    masks.closing &= ~in_string;
    const auto closings = static_cast<std::size_t>(std::popcount(masks.closing));
    if (closings < depth_) {
      depth_ += static_cast<std::size_t>(std::popcount(masks.opening)) - closings;
      return std::nullopt;
    }
    return close(masks);
  }

 private:
  std::uint64_t escaped(std::uint64_t backslashes) {
    std::uint64_t result = escape_carried_;
    backslashes &= ~escape_carried_;
    escape_carried_ = 0;
    while (backslashes != 0) {
      const int i = std::countr_zero(backslashes);
      if (i == 63) {
        escape_carried_ = 1;
        break;
      }
      result |= std::uint64_t{2} << i;
      backslashes &= ~(std::uint64_t{3} << i);
    }
    return result;
  }

  /// From each opening quote to the byte before its closing one.
  std::uint64_t in_strings(std::uint64_t quotes) {
    for (int shift = 1; shift < 64; shift *= 2) quotes ^= quotes << shift;
    quotes ^= string_carried_;
    string_carried_ = (quotes >> 63) != 0 ? ~std::uint64_t{0} : 0;
    return quotes;
  }

  std::optional<std::size_t> close(const block_masks& masks) {
    for (std::uint64_t brackets = masks.opening | masks.closing; brackets != 0; brackets &= brackets - 1) {
      const int i = std::countr_zero(brackets);
      if ((masks.opening >> i & 1) != 0) {
        ++depth_;
      } else if (--depth_ == 0) {
        return static_cast<std::size_t>(i) + 1;
      }
    }
    return std::nullopt;
  }

  std::size_t depth_ = 0;
  std::uint64_t escape_carried_ = 0;
  std::uint64_t string_carried_ = 0;
};

bool scalar_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

}  // namespace

void json_cursor::fail(std::string_view problem) const {
  throw format_error(fmt::format("{}: {} at byte {}", what_, problem, at_));
}

char json_cursor::peek() {
  const std::size_t found = text_.find_first_not_of(white_space, at_);
  at_ = found == std::string_view::npos ? text_.size() : found;
  if (at_ == text_.size()) fail("it ends too early");
  return text_[at_];
}

void json_cursor::enter(char bracket) {
  if (peek() != bracket) fail(bracket == '{' ? "no object" : "no array");
  ++at_;
  entered_ = true;
}

bool json_cursor::next(char closing) {
  const char c = peek();
  if (c == closing) {
    ++at_;
    entered_ = false;
    return false;
  }
  if (!entered_) {
    if (c != ',') fail("no comma");
    ++at_;
    peek();
  }
  entered_ = false;
  return true;
}

std::optional<std::string_view> json_cursor::next_member() {
  if (!next('}')) return std::nullopt;
  if (peek() != '"') fail("no member name");
  const std::string_view name = string();
  if (peek() != ':') fail("no colon");
  ++at_;
  return name.substr(1, name.size() - 2);
}

bool json_cursor::next_element() { return next(']'); }

std::string_view json_cursor::value() {
  const char c = peek();
  if (c == '{' || c == '[') return container();
  return c == '"' ? string() : scalar();
}

std::string_view json_cursor::object() {
  if (peek() != '{') fail("no object");
  return container();
}

std::uint64_t json_cursor::count() {
  peek();
  const std::string_view text = scalar();
  std::uint64_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size()) fail("no count");
  return result;
}

double json_cursor::number() {
  const std::optional<double> result = number_or_nothing();
  if (!result) fail("no number");
  return *result;
}

bool json_cursor::is_object() { return peek() == '{'; }

std::optional<double> json_cursor::number_or_nothing() {
  const std::string_view text = value();
  double result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(result)) return std::nullopt;
  return result;
}

void json_cursor::end() {
  if (text_.find_first_not_of(white_space, at_) != std::string_view::npos) fail("something behind its end");
}

std::string_view json_cursor::string() {
  const std::size_t start = at_++;
  while ((at_ = text_.find_first_of("\"\\", at_)) != std::string_view::npos) {
    if (text_[at_] == '"') return text_.substr(start, ++at_ - start);
    at_ += 2;
  }
  at_ = text_.size();
  fail("a string without an end");
}

std::string_view json_cursor::scalar() {
  const std::size_t start = at_;
  while (at_ < text_.size() && scalar_byte(text_[at_])) ++at_;
  if (at_ == start) fail("no value");
  return text_.substr(start, at_ - start);
}

std::string_view json_cursor::container() {
  const std::size_t start = at_;
  bracket_matcher matcher;
  for (; at_ < text_.size(); at_ += block_bytes) {
    std::optional<std::size_t> found;
    if (const std::size_t rest = text_.size() - at_; rest >= block_bytes) {
      found = matcher.feed(text_.data() + at_);
    } else {
      std::array<char, block_bytes> last;
      last.fill(' ');
      std::memcpy(last.data(), text_.data() + at_, rest);
      found = matcher.feed(last.data());
    }
    if (found) return text_.substr(start, (at_ += *found) - start);
  }
  at_ = text_.size();
  fail("it ends too early");
}

}  // namespace dynabackup::dynamodb
