// Random items, each written in random spellings: all must give the bytes that the item's own plain writer gives.
#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "archive/canonical_json.hpp"
#include "archive/snapshot_line.hpp"
#include "text/codecs.hpp"

namespace archive = dynabackup::archive;

namespace {

struct node {
  std::string type;
  std::string text;           ///< S: UTF-8; N: plain decimal; B: base64; BOOL: true or false
  std::set<std::string> set;  ///< std::string's order is that of the bytes
  std::vector<node> list;
  std::map<std::string, node> map;
};

node leaf(std::string type, std::string text) { return {std::move(type), std::move(text), {}, {}, {}}; }

class generator {
 public:
  explicit generator(unsigned seed) : random_(seed) {}

  node item() {
    node n = map(0);
    n.map["id"] = leaf("S", text());
    return n;
  }

  std::string canonical(const node& n) const {
    std::string out = "{";
    for (const auto& [name, value] : n.map) ((out += out.size() > 1 ? "," : "") += quoted(name) + ":") += typed(value);
    return out + "}";
  }

  std::string odd(const node& n) {
    std::vector<std::string> members;
    for (const auto& [name, value] : n.map) members.push_back(odd(name) + space() + ":" + space() + odd_typed(value));
    return joined('{', members, '}');
  }

 private:
  unsigned up_to(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n)(random_); }
  bool maybe() { return up_to(1) == 1; }

  std::string text() {
    static const std::vector<std::string> parts = {
        "a", "b",  "Z",      "0",  " ",      "!",      "\"",     "\\",   "/",          "#",
        "[", "\b", "\t",     "\n", "\f",     "\r",     "\x01",   "\x1f", "\x7f",       std::string(1, '\0'),
        "é", "ß",  "\u2028", "日", "\uD7FF", "\uE000", "\uFFFF", "😀",   "\U0010FFFD", "longer text"};
    std::string out;
    for (auto n = up_to(6); n > 0; --n) out += parts[up_to(static_cast<unsigned>(parts.size() - 1))];
    return out;
  }

  std::string number() {
    const auto digits = [&](unsigned n) {
      std::string out;
      while (n-- > 0) out += static_cast<char>('0' + up_to(9));
      return out;
    };
    const unsigned whole = up_to(19);
    std::string left = digits(whole);
    std::string right = digits(up_to(38 - whole - 1) * up_to(1));
    left.erase(0, std::min(left.find_first_not_of('0'), left.size()));
    right.erase(right.find_last_not_of('0') + 1);
    if (left.empty() && right.empty()) return "0";
    if (right.empty() && up_to(9) == 0) left += std::string(up_to(80), '0');
    return (maybe() ? "-" : "") + (left.empty() ? "0" : left) + (right.empty() ? "" : "." + right);
  }

  std::string binary() {
    std::string bytes;
    for (auto n = up_to(9); n > 0; --n) bytes += static_cast<char>(up_to(255));
    return dynabackup::text::base64(bytes);
  }

  node map(int depth) {
    node n = leaf("M", {});
    for (auto count = up_to(5); count > 0; --count) n.map[text()] = value(depth + 1);
    return n;
  }

  node value(int depth) {
    switch (up_to(depth < 5 ? 9 : 7)) {
      case 0:
        return leaf("S", text());
      case 1:
        return leaf("N", number());
      case 2:
        return leaf("B", binary());
      case 3:
        return leaf("BOOL", maybe() ? "true" : "false");
      case 4:
        return leaf("NULL", "true");
      case 5:
        return set("SS", &generator::text);
      case 6:
        return set("NS", &generator::number);
      case 7:
        return set("BS", &generator::binary);
      case 8:
        return map(depth);
      default:
        break;
    }
    node n = leaf("L", {});
    for (auto count = up_to(4); count > 0; --count) n.list.push_back(value(depth + 1));
    return n;
  }

  node set(std::string type, std::string (generator::*element)()) {
    node n = leaf(std::move(type), {});
    for (auto count = up_to(6) + 1; count > 0; --count) n.set.insert((this->*element)());
    return n;
  }

  static std::string quoted(std::string_view text) {
    std::string out;
    dynabackup::text::append_json_string(out, text);
    return out;
  }

  std::string typed(const node& n) const {
    std::string inner;
    if (n.type == "M") {
      inner = canonical(n);
    } else if (n.type == "L") {
      for (const auto& v : n.list) (inner += inner.empty() ? "" : ",") += typed(v);
      inner = "[" + inner + "]";
    } else if (n.type.size() == 2) {
      for (const auto& v : n.set) (inner += inner.empty() ? "" : ",") += quoted(v);
      inner = "[" + inner + "]";
    } else {
      inner = n.type.size() == 1 ? quoted(n.text) : n.text;
    }
    return "{\"" + n.type + "\":" + inner + "}";
  }

  std::string space() {
    static const char* const spaces[] = {"", "", "", " ", "\t", "\r\n", "  "};
    return spaces[up_to(6)];
  }

  std::string joined(char open, std::vector<std::string> parts, char close, bool shuffled = true) {
    if (shuffled) std::shuffle(parts.begin(), parts.end(), random_);
    std::string out = space() + open + space();
    for (std::size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? "," + space() : "") + parts[i] + space();
    return out + close + space();
  }

  std::string escape(unsigned unit) {
    const std::string_view hex = maybe() ? "0123456789abcdef" : "0123456789ABCDEF";
    std::string out = "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex[unit >> shift & 15];
    return out;
  }

  /// A string in any spelling; characters beyond ASCII are escaped at times, pairs for those beyond the BMP.
  std::string odd(const std::string& utf8) {
    std::string out = "\"";
    for (std::size_t i = 0; i < utf8.size();) {
      const auto lead = static_cast<unsigned char>(utf8[i]);
      const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      unsigned code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
      for (std::size_t k = 1; k < length; ++k) code = code << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3F);
      const bool must = code < 0x20 || code == '"' || code == '\\';
      if (must && maybe()) {
        const auto plain = quoted(utf8.substr(i, 1));
        out += plain.substr(1, plain.size() - 2);
      } else if (must || up_to(3) == 0) {
        out += code == '/' && maybe() ? "\\/"
               : code < 0x10000       ? escape(code)
                                      : escape(0xD800 + ((code - 0x10000) >> 10)) + escape(0xDC00 + (code & 0x3FF));
      } else {
        out.append(utf8, i, length);
      }
      i += length;
    }
    return out + "\"";
  }

  std::string odd_number(std::string plain) {
    const std::string sign = plain[0] == '-' ? "-" : maybe() ? "+" : "";
    if (plain[0] == '-') plain.erase(0, 1);
    if (maybe() && plain.find('.') == std::string::npos) plain += ".";
    if (plain.find('.') != std::string::npos && maybe()) plain += std::string(up_to(60), '0');
    const auto point = std::min(plain.find('.'), plain.size());
    if (maybe()) {  // the point moved to the end, the exponent says how far
      const auto fraction = plain.size() - point - (point < plain.size() ? 1 : 0);
      plain.erase(point, 1);
      plain += (maybe() ? "e-" : "E-0") + std::to_string(fraction);
    } else if (maybe()) {  // the point moved to the front
      plain.erase(point, 1);
      plain = "." + plain + (maybe() ? "e" : "E+") + std::to_string(point);
    }
    return sign + std::string(up_to(3), '0') + plain;
  }

  std::string odd_typed(const node& n) {
    std::vector<std::string> parts;
    std::string inner = n.text;
    if (n.type == "M") {
      inner = odd(n);
    } else if (n.type == "L") {
      for (const auto& v : n.list) parts.push_back(odd_typed(v));
      inner = joined('[', parts, ']', false);
    } else if (n.type.size() == 2) {
      for (const auto& v : n.set) parts.push_back(odd(n.type == "NS" ? odd_number(v) : v));
      inner = joined('[', parts, ']');
    } else if (n.type.size() == 1) {
      inner = odd(n.type == "N" ? odd_number(n.text) : n.text);
    }
    return joined('{', {odd(n.type) + space() + ":" + space() + inner}, '}');
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("random items in random spellings give the bytes of their plain form, and stay there") {
  archive::canonicalizer canonical;
  archive::line_reader lines({{"id", 'S'}});
  for (unsigned seed = 0; seed < 1500; ++seed) {
    CAPTURE(seed);
    generator random(seed);
    const auto item = random.item();
    const auto plain = random.canonical(item);
    for (int spelling = 0; spelling < 3; ++spelling) {
      std::string out;
      std::string key;
      const auto odd = random.odd(item);
      CAPTURE(odd);
      canonical.item_and_key(odd, {{"id", 'S'}}, out, key);
      REQUIRE(out == plain);
      std::string again;
      std::string same_key;
      REQUIRE(lines.read("{\"Item\" :" + odd + "}", again, same_key) == archive::line_kind::wrapped);
      REQUIRE(again == plain);
      REQUIRE(same_key == key);
      again.clear();
      canonical.item(plain, again);
      REQUIRE(again == plain);
    }
  }
}
