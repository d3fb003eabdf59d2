// DynamoDB's numbers, exactly: a sign, up to 38 significant digits and a power of ten. No floating point anywhere.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace dynabackup::archive {

struct decimal {
  static constexpr int max_digits = 38;
  static constexpr int least_exponent = -130;
  static constexpr int greatest_exponent = 125;

  bool negative = false;
  int count = 0;     ///< significant digits, neither the first nor the last of them '0'; 0 for the number zero
  int exponent = 0;  ///< power of ten of the first digit
  std::array<char, max_digits> digits{};
};

struct decimal_reading {
  decimal number;
  std::string_view problem;  ///< empty: it is a number; else why not, for a message
};

/// Takes every spelling: signs, leading and trailing zeros, ".5", "5.", exponents of any length.
decimal_reading read_decimal(std::string_view text);
/// Appends the plain form, at most 1 + 2 + 130 + 37 characters.
void append_decimal(std::string& out, const decimal& number);

}  // namespace dynabackup::archive
