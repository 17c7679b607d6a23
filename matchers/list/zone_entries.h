// The entries of a zone file (RFC 1035 5.1): words, quotes, `;` comments, and parentheses that join
// lines.
//
// Returns each record or directive as its words. Accepts any bytes; linear cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steer::matchers {

// A word without its quotes, with its escapes.
struct ZoneWord {
    std::string text;
    bool quoted = false;
};

struct ZoneEntry {
    std::vector<ZoneWord> words;
    bool has_owner = true;  // the line does not begin with a blank
    int line = 0;           // first line of the entry
    std::string error;      // its error; empty: none
};

class ZoneEntries {
  public:
    explicit ZoneEntries(std::string_view bytes);
    std::optional<ZoneEntry> next();

  private:
    ZoneEntry take_entry();
    void take_word(ZoneEntry& entry);
    void skip();
    void skip_line();

    std::string_view rest_;
    int line_ = 1;
};

// "www" below "example.org" becomes "www.example.org"; "@" is the origin; a name with a last dot is
// absolute. The result has no last dot; empty: the root.
std::string absolute_zone_name(const std::string& text, const std::string& origin);

// Parses a TTL: seconds, or numbers with w, d, h, m, s in either case ("1h30m"). No value: not a
// TTL, or above 2^31 - 1.
std::optional<std::uint32_t> zone_ttl_s(std::string_view text);

}  // namespace steer::matchers
