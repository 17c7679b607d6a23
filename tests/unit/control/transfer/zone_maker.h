// Zones and messages for tests, from the text of zone files. Any thread: mistakes of a test are
// exceptions, because the macros of Boost.Test are for one thread.
#pragma once

#include <boost/test/unit_test.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/text/dns_names.h"
#include "control/config/text/rdata_text.h"
#include "control/sources/transfer/wire_bytes.h"
#include "control/sources/transfer/zone_contents.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "matchers/list/zone_entries.h"

namespace steer::transfer::test {

inline void demand(bool is_right, const std::string& mistake) {
    if (!is_right) throw std::logic_error(mistake);
}

inline Bytes wire(std::string_view name) {
    const auto made = dns::name_from_text(name);
    demand(made.has_value(), "not a name: " + std::string(name));
    return *made;
}

inline Bytes wire_below(const std::string& text, const std::string& origin) {
    const std::string name = matchers::absolute_zone_name(text, origin);
    return name.empty() ? Bytes{0} : wire(name);
}

struct MadeRecord {
    Bytes owner;
    std::uint16_t type;
    std::uint32_t ttl_s;
    Bytes rdata;
};

// Lines "OWNER TTL TYPE RDATA"; names without a last dot are below `origin`.
inline std::vector<MadeRecord> records_of(const std::string& text, const std::string& origin) {
    std::vector<MadeRecord> out;
    matchers::ZoneEntries entries(text);
    while (const auto entry = entries.next()) {
        // The whole text in the message would be copied for each record.
        if (entry->words.size() < 3) demand(false, "fewer than three words: " + text);
        MadeRecord record;
        record.owner = wire_below(entry->words[0].text, origin);
        record.ttl_s = static_cast<std::uint32_t>(std::stoul(entry->words[1].text));
        const auto type = config::parse_qtype(entry->words[2].text);
        demand(type.has_value(), "not a type: " + entry->words[2].text);
        record.type = *type;
        if (*type == dns::kCname || *type == dns::kNs) {
            record.rdata = wire_below(entry->words[3].text, origin);  // also "*." and "."
        } else {
            auto rdata = config::rdata_of(*type, std::span(entry->words).subspan(3), origin);
            demand(rdata.has_value(), rdata ? "" : rdata.error().text);
            record.rdata = *rdata;
        }
        out.push_back(std::move(record));
    }
    return out;
}

inline std::shared_ptr<const ZoneImage> image_of(const std::string& text,
                                                 const std::string& origin) {
    ZoneImageBuilder builder;
    for (const MadeRecord& record : records_of(text, origin))
        builder.add(record.owner, {record.type, record.ttl_s, record.rdata});
    return builder.finish();
}

inline ZoneContents zone_of(const std::string& text, const std::string& origin) {
    ZoneContents contents(wire(origin));
    const auto done = contents.replace(image_of(text, origin));
    demand(done.has_value(), done ? "" : done.error().text);
    return contents;
}

inline ZoneDifference difference(std::uint32_t from, const std::string& removed, std::uint32_t to,
                                 const std::string& added, const std::string& origin) {
    ZoneDifference out;
    out.from = from;
    out.to = to;
    const auto put = [&](const std::string& text, auto& changes) {
        for (MadeRecord& record : records_of(text, origin))
            changes.push_back(
                {std::move(record.owner), record.type, record.ttl_s, std::move(record.rdata)});
    };
    put(removed, out.removed);
    put(added, out.added);
    return out;
}

// A response with these records in its answer section; names are not compressed.
inline Bytes response(std::uint16_t id, const std::string& zone, std::uint16_t qtype,
                      const std::string& text, std::uint16_t flags = dns::kQr | dns::kAa) {
    const auto records = records_of(text, zone);
    Bytes out;
    put16(out, id);
    put16(out, flags);
    put16(out, 1);
    put16(out, static_cast<std::uint16_t>(records.size()));
    put32(out, 0);
    put_bytes(out, wire(zone));
    put16(out, qtype);
    put16(out, dns::kIn);
    for (const MadeRecord& record : records) {
        put_bytes(out, record.owner);
        put16(out, record.type);
        put16(out, dns::kIn);
        put32(out, record.ttl_s);
        put16(out, static_cast<std::uint16_t>(record.rdata.size()));
        put_bytes(out, record.rdata);
    }
    return out;
}

inline Bytes from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    Bytes out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
    return out;
}

inline std::string soa(std::uint32_t serial) {
    return "@ 300 SOA localhost. root.localhost. " + std::to_string(serial) +
           " 3600 900 2592000 300\n";
}

// Its names in canonical order, as text.
inline std::vector<std::string> names_of(const ZoneContents& zone) {
    std::vector<std::string> out;
    zone.for_each([&](ByteSpan name, OwnerRecords) { out.push_back(dns::name_to_text(name)); });
    return out;
}

}  // namespace steer::transfer::test
