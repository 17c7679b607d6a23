#include "matchers/idn_name.h"

#include <idn2.h>

#include <cstddef>

#include "matchers/text.h"

namespace steer::matchers {

Result<std::string> ascii_name(std::string_view name) {
    constexpr std::size_t kLongest = std::size_t{4} * 253;  // bytes of UTF-8
    if (is_ascii(name)) return {boost::system::in_place_value, std::string(name)};
    if (name.size() > kLongest) return Error{"it is too long"};
    if (name.find('\0') != std::string_view::npos) return Error{"it holds a NUL"};
    if (name.find('\\') != std::string_view::npos) return Error{"it holds an escape"};
    char* ascii = nullptr;
    const int failed =
        idn2_to_ascii_8z(std::string(name).c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (failed != IDN2_OK) return Error{idn2_strerror(failed)};
    std::string out = lowered(ascii);
    idn2_free(ascii);
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace steer::matchers
