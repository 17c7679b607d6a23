#include "control/api/log/mnemonics.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "dataplane/dns/type_names.h"

namespace steer::ops {
namespace {

struct Name {
    std::uint16_t number;
    std::string_view text;
};

constexpr std::array kClasses{
    Name{1, "IN"}, Name{3, "CH"}, Name{4, "HS"}, Name{254, "NONE"}, Name{255, "ANY"},
};
constexpr std::array kRcodes{
    Name{0, "NOERROR"},    Name{1, "FORMERR"}, Name{2, "SERVFAIL"}, Name{3, "NXDOMAIN"},
    Name{4, "NOTIMP"},     Name{5, "REFUSED"}, Name{6, "YXDOMAIN"}, Name{7, "YXRRSET"},
    Name{8, "NXRRSET"},    Name{9, "NOTAUTH"}, Name{10, "NOTZONE"}, Name{16, "BADVERS"},
    Name{23, "BADCOOKIE"},
};

std::string name_of(std::span<const Name> names, std::uint16_t number, std::string_view otherwise) {
    const auto found = std::ranges::find(names, number, &Name::number);
    if (found != names.end()) return std::string(found->text);
    return std::string(otherwise) + std::to_string(number);
}

}  // namespace

std::string type_name(std::uint16_t type) {
    return dns::type_to_text(type);
}
std::string class_name(std::uint16_t klass) {
    return name_of(kClasses, klass, "CLASS");
}
std::string rcode_name(std::uint16_t rcode) {
    return name_of(kRcodes, rcode, "RCODE");
}

}  // namespace steer::ops
