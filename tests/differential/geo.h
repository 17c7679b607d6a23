// Two lists, as tables: the interpreter reads these, the product reads them as the files geosite.dat and geoip.dat.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace steer::differential {

struct GeoName {
    std::string_view code;
    unsigned kind;  // 0: keyword, 1: regexp, 2: domain, 3: full
    std::string_view text;
    std::string_view attribute;  // empty: none
};
inline constexpr std::array kGeoNames{
    GeoName{"CN", 2, "a.example", ""},      GeoName{"CN", 3, "w.b.example", "ads"},
    GeoName{"CN", 2, "x.a.example", "ads"}, GeoName{"GEO", 2, "b.example", "!cn"},
    GeoName{"GEO", 3, "c.example", ""},     GeoName{"WORDS", 0, "xx.", ""},
    GeoName{"WORDS", 1, "^q\\.x", "ads"}};

struct GeoPrefix {
    std::string_view code;
    std::string_view address;
    unsigned length;
};
inline constexpr std::array kGeoPrefixes{
    GeoPrefix{"CN", "192.0.2.16", 28},  GeoPrefix{"CN", "2001:db8::", 64},
    GeoPrefix{"NEAR", "192.0.2.0", 25}, GeoPrefix{"NEAR", "203.0.113.128", 25},
    GeoPrefix{"FAR", "198.18.7.9", 32}, GeoPrefix{"FAR", "203.0.113.5", 32}};

// As protobuf (v2fly's GeoSiteList and GeoIPList).
std::string geosite_file();
std::string geoip_file();

}  // namespace steer::differential
