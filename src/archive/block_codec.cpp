#include "archive/block_codec.hpp"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zstd.h>
#ifdef DYNABACKUP_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include <new>
#include <stdexcept>
#include <vector>

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::archive {

namespace {

constexpr int level = 1;

template <auto Free>
struct free_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using deflater = std::unique_ptr<libdeflate_compressor, free_by<libdeflate_free_compressor>>;
using inflater = std::unique_ptr<libdeflate_decompressor, free_by<libdeflate_free_decompressor>>;
using zstd_compressor = std::unique_ptr<ZSTD_CCtx, free_by<ZSTD_freeCCtx>>;
using zstd_decompressor = std::unique_ptr<ZSTD_DCtx, free_by<ZSTD_freeDCtx>>;

template <class Pointer>
Pointer allocated(Pointer p) {
  if (!p) throw std::bad_alloc();
  return p;
}

[[noreturn]] void damaged(std::string_view codec, std::string_view how) {
  throw format_error(fmt::format("damaged {} block: {}", codec, how));
}

void read_gzip(std::string_view bytes, std::string& out) {
  const auto inflate = allocated(inflater(libdeflate_alloc_decompressor()));
  std::size_t used = 0;
  // Without a place for the actual size, exactly out.size() bytes are demanded.
  switch (libdeflate_gzip_decompress_ex(inflate.get(), bytes.data(), bytes.size(), out.data(), out.size(), &used,
                                        nullptr)) {
    case LIBDEFLATE_SUCCESS:
      break;
    case LIBDEFLATE_SHORT_OUTPUT:
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      damaged("gzip", "its lines have another size than stated");
    case LIBDEFLATE_BAD_DATA:
      damaged("gzip", "no whole member, or its checksum is wrong");
  }
  if (used != bytes.size()) damaged("gzip", "something follows the member");
}

void read_zstd(std::string_view bytes, std::string& out) {
  if (sniff(bytes) != compression::zstd) damaged("zstd", "no frame");
  if (const auto size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
      ZSTD_isError(size) || size != bytes.size()) {
    damaged("zstd", "not one whole frame");
  }
  const auto context = allocated(zstd_decompressor(ZSTD_createDCtx()));
  // In one call `out` itself is the window: a frame cannot make us allocate more.
  const auto size = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) damaged("zstd", ZSTD_getErrorName(size));
  if (size != out.size()) damaged("zstd", "its lines have another size than stated");
}

}  // namespace

struct block_writer::state {
  compression codec = compression::none;
  deflater by_libdeflate;
  zstd_compressor by_zstd;
#ifdef DYNABACKUP_HAVE_ISAL
  std::vector<std::uint8_t> igzip_scratch;  // empty: libdeflate was chosen
#endif

  std::size_t write_gzip(std::string_view raw, char* to, std::size_t room);
  std::size_t write_zstd(std::string_view raw, char* to, std::size_t room) {
    const auto size = ZSTD_compress2(by_zstd.get(), to, room, raw.data(), raw.size());
    return ZSTD_isError(size) ? 0 : size;
  }
};

std::size_t block_writer::state::write_gzip(std::string_view raw, char* to, std::size_t room) {
#ifdef DYNABACKUP_HAVE_ISAL
  if (!igzip_scratch.empty()) {
    isal_zstream stream;
    isal_deflate_stateless_init(&stream);
    stream.level = level;
    stream.level_buf = igzip_scratch.data();
    stream.level_buf_size = static_cast<std::uint32_t>(igzip_scratch.size());
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(raw.data()));  // read only
    stream.avail_in = static_cast<std::uint32_t>(raw.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(to);
    stream.avail_out = static_cast<std::uint32_t>(room);
    return isal_deflate_stateless(&stream) == COMP_OK ? room - stream.avail_out : 0;
  }
#endif
  return libdeflate_gzip_compress(by_libdeflate.get(), raw.data(), raw.size(), to, room);
}

block_writer::block_writer(compression codec, gzip_library library) : state_(std::make_unique<state>()) {
  state_->codec = codec;
  if (codec == compression::gzip) {
#ifdef DYNABACKUP_HAVE_ISAL
    if (library == gzip_library::fastest) {
      state_->igzip_scratch.resize(ISAL_DEF_LVL1_DEFAULT);
      return;
    }
#else
    static_cast<void>(library);
#endif
    state_->by_libdeflate = allocated(deflater(libdeflate_alloc_compressor(level)));
  } else if (codec == compression::zstd) {
    state_->by_zstd = allocated(zstd_compressor(ZSTD_createCCtx()));
    ZSTD_CCtx_setParameter(state_->by_zstd.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(state_->by_zstd.get(), ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(state_->by_zstd.get(), ZSTD_c_checksumFlag, 1);
  }
}

block_writer::block_writer(block_writer&&) noexcept = default;
block_writer& block_writer::operator=(block_writer&&) noexcept = default;
block_writer::~block_writer() = default;

std::size_t block_writer::bound(std::size_t raw_bytes) const {
  switch (state_->codec) {
    case compression::gzip:
      // libdeflate's bound (5 bytes in 10,000) is above igzip's (5 in 65,535) but for the smallest inputs.
      return libdeflate_gzip_compress_bound(nullptr, raw_bytes) + 64;
    case compression::zstd:
      return ZSTD_compressBound(raw_bytes);
    case compression::none:
      break;
  }
  return raw_bytes;
}

void block_writer::append(std::string_view raw, std::string& out) {
  if (raw.size() > max_block_bytes) throw std::length_error("a block of more than max_block_bytes");
  if (state_->codec == compression::none) {
    out.append(raw);
    return;
  }
  const auto start = out.size();
  const auto room = bound(raw.size());
  out.resize(start + room);
  char* to = out.data() + start;
  const auto size =
      state_->codec == compression::gzip ? state_->write_gzip(raw, to, room) : state_->write_zstd(raw, to, room);
  out.resize(start + size);
  if (size == 0) throw std::logic_error("a compressor refused a block within its bound");
}

std::string read_block(compression codec, std::string_view bytes, std::uint64_t raw_size) {
  if (raw_size > max_block_bytes) {
    throw format_error(fmt::format("a block of {} bytes: more than the {} one may have", raw_size, max_block_bytes));
  }
  std::string out;
  out.reserve(raw_size + response::body_padding);
  if (codec == compression::none) {
    if (bytes.size() != raw_size) damaged("plain", "another size than stated");
    out.append(bytes);
    return out;
  }
  out.resize(raw_size);
  codec == compression::gzip ? read_gzip(bytes, out) : read_zstd(bytes, out);
  return out;
}

compression sniff(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1f\x8b")) return compression::gzip;
  if (first_bytes.starts_with("\x28\xb5\x2f\xfd")) return compression::zstd;
  return compression::none;
}

}  // namespace dynabackup::archive
