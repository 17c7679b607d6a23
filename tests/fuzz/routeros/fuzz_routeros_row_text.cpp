// What a router prints in a row: addresses, times, ids, comments. What is understood has one form
// that is understood again as the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "routeros/address.h"
#include "routeros/commands.h"
#include "routeros/comment.h"
#include "routeros/time_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steer::routeros;
    const std::string text{data, data + size};
    for (const auto menu : {Menu::ip, Menu::ipv6}) {
        const auto address = Address::parse(menu, text);
        if (!address) continue;
        if (address->menu() != menu || Address::parse(menu, address->to_string()) != address)
            std::abort();
    }
    if (const auto seconds = parse_time(text);
        seconds && parse_time(time_text(*seconds)) != seconds)
        std::abort();
    if (const RowId id = parse_row_id(text); id != 0 && parse_row_id(row_id_text(id)) != id)
        std::abort();
    (void)parse_comment("fdns", text);
    const auto comment = row_comment("fdns", "tag", RowKind::dynamic, text);
    for (const char c : comment) {
        if (c <= ' ' || c > '~') std::abort();
    }
    const auto facts = parse_comment("fdns", comment);
    if (!facts || facts->tag != "tag" || facts->kind != RowKind::dynamic) std::abort();
    return 0;
}
