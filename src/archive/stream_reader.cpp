#include <algorithm>
#include <fmt/format.h>
#include <new>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "archive/block_codec.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::archive {

namespace {

constexpr int window_log_max = 27;  // 128 MiB

struct progress {
  std::size_t in = 0;
  std::size_t out = 0;
};

class decoder {
 public:
  virtual ~decoder() = default;
  virtual progress step(std::string_view input, char* out, std::size_t room) = 0;
  [[nodiscard]] virtual bool whole() const = 0;  ///< the data may end here
};

class copier final : public decoder {
 public:
  progress step(std::string_view input, char* out, std::size_t room) override {
    const auto n = input.copy(out, room);
    return {n, n};
  }
  [[nodiscard]] bool whole() const override { return true; }
};

class gzip_decoder final : public decoder {
 public:
  gzip_decoder() {
    if (inflateInit2(&stream_, MAX_WBITS + 16) != Z_OK) throw std::bad_alloc();
  }
  gzip_decoder(const gzip_decoder&) = delete;
  gzip_decoder& operator=(const gzip_decoder&) = delete;
  ~gzip_decoder() override { inflateEnd(&stream_); }

  progress step(std::string_view input, char* out, std::size_t room) override {
    if (place_ == place::inside || place_ == place::start) return decode(input, out, room);
    const auto zeros = std::min(input.find_first_not_of('\0'), input.size());
    if (zeros > 0) place_ = place::padding;
    if (zeros == input.size()) return {zeros, 0};
    if (place_ == place::padding || input[0] != '\x1f') {
      throw format_error("something that is not gzip follows the last gzip member");
    }
    inflateReset(&stream_);
    return decode(input, out, room);
  }
  [[nodiscard]] bool whole() const override { return place_ == place::between || place_ == place::padding; }

 private:
  enum class place { start, inside, between, padding };

  progress decode(std::string_view input, char* out, std::size_t room) {
    if (!input.empty()) place_ = place::inside;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // zlib only reads it
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END) {
      place_ = place::between;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw format_error(fmt::format("damaged gzip data: {}", stream_.msg ? stream_.msg : zError(result)));
    }
    return {input.size() - stream_.avail_in, room - stream_.avail_out};
  }

  z_stream stream_{};
  place place_ = place::start;
};

class zstd_decoder final : public decoder {
 public:
  zstd_decoder() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log_max);
  }
  zstd_decoder(const zstd_decoder&) = delete;
  zstd_decoder& operator=(const zstd_decoder&) = delete;
  ~zstd_decoder() override { ZSTD_freeDStream(stream_); }

  progress step(std::string_view input, char* out, std::size_t room) override {
    if (input.empty() && whole_) return {};
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    const auto result = ZSTD_decompressStream(stream_, &to, &in);
    if (ZSTD_isError(result)) refuse(ZSTD_getErrorCode(result));
    whole_ = result == 0;
    return {in.pos, to.pos};
  }
  [[nodiscard]] bool whole() const override { return whole_; }

 private:
  [[noreturn]] static void refuse(ZSTD_ErrorCode code) {
    if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
      throw format_error("zstd data with a window of more than 128 MiB: compress it anew without --ultra or --long");
    }
    throw format_error(fmt::format("damaged zstd data, or something else behind it: {}", ZSTD_getErrorString(code)));
  }

  ZSTD_DStream* stream_;
  bool whole_ = false;
};

std::unique_ptr<decoder> make_decoder(compression codec) {
  switch (codec) {
    case compression::gzip:
      return std::make_unique<gzip_decoder>();
    case compression::zstd:
      return std::make_unique<zstd_decoder>();
    case compression::none:
      break;
  }
  return std::make_unique<copier>();
}

}  // namespace

struct stream_reader::state {
  std::unique_ptr<decoder> decode;
  /// The decoder has the first byte of the next input already, but output of it was left over.
  bool owed = false;
  bool failed = false;

  progress step(std::string_view input, std::string& out, std::size_t room);
};

progress stream_reader::state::step(std::string_view input, std::string& out, std::size_t room) {
  const auto start = out.size();
  out.resize(start + room);
  try {
    const auto made = decode->step(input, out.data() + start, room);
    out.resize(start + made.out);
    return made;
  } catch (...) {
    out.resize(start);
    failed = true;
    throw;
  }
}

stream_reader::stream_reader(compression codec) : state_(std::make_unique<state>()) {
  state_->decode = make_decoder(codec);
}
stream_reader::stream_reader(stream_reader&&) noexcept = default;
stream_reader& stream_reader::operator=(stream_reader&&) noexcept = default;
stream_reader::~stream_reader() = default;

std::size_t stream_reader::read(std::string_view input, std::string& out, std::size_t max_out) {
  constexpr std::size_t max_step_in = std::size_t{1} << 30;    // zlib counts in 32 bits
  constexpr std::size_t max_step_out = std::size_t{64} << 10;  // what resize has to clear for a chunk of one byte
  if (state_->failed) throw format_error("read on behind damaged data");
  if (input.empty()) return 0;
  std::size_t used = state_->owed ? 1 : 0;
  std::size_t made = 0;
  while (made < max_out && (used < input.size() || state_->owed)) {
    const auto room = std::min(max_step_out, max_out - made);
    const auto piece = input.substr(used, max_step_in);
    const auto done = state_->step(piece, out, room);
    if (done.in == 0 && done.out == 0 && !piece.empty()) throw format_error("compressed data that leads nowhere");
    used += done.in;
    made += done.out;
    state_->owed = used == input.size() && done.out == room;
  }
  return state_->owed ? used - 1 : used;
}

void stream_reader::finish() const {
  if (state_->failed || state_->owed || !state_->decode->whole()) throw format_error("truncated");
}

}  // namespace dynabackup::archive
