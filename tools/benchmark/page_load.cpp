// What is done to bytes, without a network: cost of our own code beside the cheapest that could take its place.
//   page-load stored|parse|gzip ITEM-BYTES TIMES
// stored  Scan pages of 1 MB to what a backfill stores: canonical bodies and object names
// parse   the same pages walked by simdjson, each item told by its bytes
// gzip    2 MiB of snapshot lines through the raw compressor (igzip, or libdeflate where it was not built in)
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <simdjson.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#ifdef DYNABACKUP_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <libdeflate.h>
#endif

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/http.hpp"
#include "dynamodb/scan_page.hpp"
#include "fakes/aws/synthetic_table.hpp"

namespace dynabackup::bench {
namespace {

constexpr std::size_t page_bytes = 1'000'000;
constexpr std::size_t block_bytes = std::size_t{2} << 20;

struct work {
  std::size_t items = 0;
  std::size_t bytes = 0;
};

struct page {
  std::string text;
  std::size_t items = 0;
};

page make_page(std::size_t item_bytes) {
  const fakes::synthetic_items items(item_bytes);
  page p{R"({"Items":[)", 0};
  while (p.text.size() < page_bytes) {
    if (p.items > 0) p.text += ',';
    items.append(p.text, p.items++);
  }
  p.text += fmt::format(R"(],"Count":{0},"ScannedCount":{0},"LastEvaluatedKey":{1}}})", p.items,
                        fakes::synthetic_items::key(p.items - 1));
  p.text.reserve(p.text.size() + simdjson::SIMDJSON_PADDING);
  return p;
}

/// With a copy of each page, which stands for its way out of a socket.
work run_stored(const page& p, std::size_t times) {
  const dynamodb::key_schema key{{"id", 'S'}};
  archive::canonicalizer canonical;
  work done;
  for (std::size_t n = 0; n < times; ++n) {
    response answer;
    answer.status = 200;
    answer.body.reserve(p.text.capacity());
    answer.body = p.text;
    const dynamodb::scan_page scanned(std::move(answer));
    for (std::size_t i = 0; i < scanned.size(); ++i) {
      std::string body;
      std::string item_key;
      body.reserve(scanned.item(i).size() + archive::body_head.size() + archive::body_tail.size());
      body += archive::body_head;
      canonical.item_and_key(scanned.item(i), key, body, item_key);
      body += archive::body_tail;
      if (archive::object_name(item_key).empty()) throw std::logic_error("an item without a name");
    }
    done.items += scanned.size();
    done.bytes += p.text.size();
  }
  return done;
}

work run_parse(const page& p, std::size_t times) {
  simdjson::ondemand::parser parser;
  work done;
  std::vector<std::string_view> items;
  for (std::size_t n = 0; n < times; ++n) {
    items.clear();
    simdjson::ondemand::document document =
        parser.iterate(simdjson::padded_string_view(p.text.data(), p.text.size(), p.text.capacity()));
    for (auto member : document.get_object()) {
      const std::string_view name = member.unescaped_key();
      if (name != "Items") continue;
      for (auto element : member.value().get_array()) {
        simdjson::ondemand::object item = element.get_object();
        items.push_back(item.raw_json());
      }
    }
    if (items.size() != p.items) throw std::logic_error("a page lost items");
    done.items += items.size();
    done.bytes += p.text.size();
  }
  return done;
}

#ifdef DYNABACKUP_HAVE_ISAL
class compressor {
 public:
  bool run(std::string& raw, std::vector<std::uint8_t>& out) {
    isal_zstream stream;
    isal_deflate_stateless_init(&stream);
    stream.level = 1;
    stream.level_buf = scratch_.data();
    stream.level_buf_size = static_cast<std::uint32_t>(scratch_.size());
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = reinterpret_cast<std::uint8_t*>(raw.data());
    stream.avail_in = static_cast<std::uint32_t>(raw.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    return isal_deflate_stateless(&stream) == COMP_OK;
  }

 private:
  std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(ISAL_DEF_LVL1_DEFAULT);
};
#else
class compressor {
 public:
  compressor() : state_(libdeflate_alloc_compressor(1)) {}
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;
  ~compressor() { libdeflate_free_compressor(state_); }
  bool run(std::string& raw, std::vector<std::uint8_t>& out) {
    return libdeflate_gzip_compress(state_, raw.data(), raw.size(), out.data(), out.size()) > 0;
  }

 private:
  libdeflate_compressor* state_;
};
#endif

work run_gzip(std::size_t item_bytes, std::size_t times) {
  const fakes::synthetic_items items(item_bytes);
  std::string lines;
  std::size_t count = 0;
  while (lines.size() < block_bytes) {
    lines += archive::body_head;
    items.append_canonical(lines, count++);
    lines += archive::body_tail;
    lines += '\n';
  }
  std::vector<std::uint8_t> out(lines.size() * 2);
  compressor packer;
  for (std::size_t n = 0; n < times; ++n)
    if (!packer.run(lines, out)) throw std::runtime_error("the compressor failed");
  return {count * times, lines.size() * times};
}

work run_kind(const std::string& kind, std::size_t item_bytes, std::size_t times) {
  if (kind == "stored") return run_stored(make_page(item_bytes), times);
  if (kind == "parse") return run_parse(make_page(item_bytes), times);
  if (kind == "gzip") return run_gzip(item_bytes, times);
  throw std::invalid_argument("no such work: " + kind);
}

}  // namespace
}  // namespace dynabackup::bench

int main(int count, char** arguments) {
  if (count != 4) {
    fmt::print(stderr, "usage: page-load stored|parse|gzip ITEM-BYTES TIMES\n");
    return 2;
  }
  try {
    const auto done = dynabackup::bench::run_kind(arguments[1], std::stoul(arguments[2]), std::stoul(arguments[3]));
    fmt::print("{{\"items\":{},\"bytes\":{}}}\n", done.items, done.bytes);
    return 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "page-load: {}\n", problem.what());
    return 1;
  }
}
