// Bytes to compress in tests: made from a fixed seed, the same on every machine.
#pragma once
#include <cstdint>
#include <random>
#include <string>

namespace dynabackup::testing {

/// Lines like a snapshot's.
inline std::string sample_lines(std::size_t bytes) {
  std::mt19937_64 random(7);
  std::string out;
  while (out.size() < bytes) {
    out += R"({"Item":{"id":{"S":"user-)" + std::to_string(random() % 1'000'000) + R"("},"n":{"N":")" +
           std::to_string(random()) + "\"}}}\n";
  }
  out.resize(bytes);
  return out;
}

/// Bytes that no compressor makes smaller.
inline std::string noise(std::size_t bytes) {
  std::mt19937_64 random(11);
  std::string out(bytes, '\0');
  for (auto& c : out) c = static_cast<char>(random());
  return out;
}

}  // namespace dynabackup::testing
