#include "differential/geo.h"

#include <arpa/inet.h>

#include <set>
#include <stdexcept>

namespace steer::differential {
namespace {

// None here is longer than a byte says.
std::string field(unsigned number, std::string_view bytes) {
    if (bytes.size() > 127) throw std::runtime_error("a list of geo data is too long");
    std::string out{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())};
    return out.append(bytes);
}
std::string field(unsigned number, unsigned value) {
    return {static_cast<char>(number << 3), static_cast<char>(value)};
}

// One entry for each code, of what `item` makes of its rows.
template <class Rows, class Item>
std::string file_of(const Rows& rows, Item&& item) {
    std::set<std::string_view> codes;
    for (const auto& row : rows)
        codes.insert(row.code);
    std::string file;
    for (const auto code : codes) {
        std::string entry = field(1, code);
        for (const auto& row : rows)
            if (row.code == code) entry += field(2, item(row));
        file += field(1, entry);
    }
    return file;
}

}  // namespace

std::string geosite_file() {
    return file_of(kGeoNames, [](const GeoName& name) {
        std::string domain = field(1, name.kind) + field(2, name.text);
        if (!name.attribute.empty()) domain += field(3, field(1, name.attribute) + field(2, 1U));
        return domain;
    });
}

std::string geoip_file() {
    return file_of(kGeoPrefixes, [](const GeoPrefix& prefix) {
        const bool v6 = prefix.address.find(':') != std::string_view::npos;
        std::string bytes(v6 ? 16 : 4, '\0');
        if (inet_pton(v6 ? AF_INET6 : AF_INET, std::string(prefix.address).c_str(), bytes.data()) !=
            1)
            throw std::runtime_error("a list of geo data has no address");
        return field(1, bytes) + field(2, prefix.length);
    });
}

}  // namespace steer::differential
