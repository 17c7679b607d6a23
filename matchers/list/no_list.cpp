#include "matchers/list/no_list.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "matchers/list/lines.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

struct Magic {
    std::string_view bytes, what;
};
constexpr std::array kMagics{
    Magic{"\x1f\x8b", "gzip"},
    Magic{"PK\x03\x04", "a zip archive"},
    Magic{"BZh", "bzip2"},
    Magic{"\xfd\x37zXZ", "xz"},
    Magic{"\x28\xb5\x2f\xfd", "zstd"},
    Magic{"%PDF-", "a PDF document"},
    Magic{"\x89PNG", "a picture"},
    Magic{"\xff\xd8\xff", "a picture"},
    Magic{"GIF8", "a picture"},
    Magic{"\x7f\x45LF", "a program"},
    Magic{"SQLite format 3", "a database"},
};

constexpr std::size_t kInspected = 4096;
constexpr std::ptrdiff_t kMaxControls = 8;  // of the first kInspected bytes; a text has none

bool is_binary(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 && kBlank.find(c) == std::string_view::npos;
}

std::string_view first_line(std::string_view text) {
    return trimmed(text.substr(0, text.find('\n')));
}

}  // namespace

std::optional<Error> why_no_list(std::string_view bytes) {
    if (not_utf8(bytes)) return std::nullopt;
    for (const Magic& magic : kMagics) {
        if (bytes.starts_with(magic.bytes))
            return Error{"the file is " + std::string(magic.what) + ", not a list of lines"};
    }
    const std::string_view start = bytes.substr(0, kInspected);
    if (std::count_if(start.begin(), start.end(), is_binary) > kMaxControls)
        return Error{"the file holds binary data, not a list of lines"};
    const std::string_view text = trimmed(without_marks(start));
    if (text.starts_with('<'))
        return Error{"the file is an HTML or XML page, not a list: it begins with " +
                     quoted(first_line(text))};
    if (text.starts_with('{') || text.starts_with("[{") || text.starts_with("[\""))
        return Error{"the file is a JSON document, not a list: it begins with " +
                     quoted(first_line(text))};
    return std::nullopt;
}

}  // namespace steer::matchers
