#include "matchers/pattern/match.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace steer::matchers {
namespace {

struct Found {
    const TagBits* tags_of;
    TagBits* tags;
};

int on_match(unsigned id, unsigned long long /*from*/, unsigned long long /*to*/,
             unsigned /*flags*/, void* context) {
    const auto* const found = static_cast<const Found*>(context);
    *found->tags |= found->tags_of[id];
    return 0;
}

bool has_all(const TagBits& tags, const TagBits& wanted) {
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < tags.words.size(); ++i)
        missing |= wanted.words[i] & ~tags.words[i];
    return missing == 0;
}

}  // namespace

std::string_view name_text(std::span<const std::uint8_t> wire_name, NameText& room) noexcept {
    const std::size_t length = std::max<std::size_t>(wire_name.size(), 2) - 2;
    if (length == 0) return {room.data(), 0};
    for (std::size_t i = 0; i < length; ++i) {
        const auto c = static_cast<char>(wire_name[i + 1]);
        room[i] = c == '.' || c == '\n' ? '\0' : c;
    }
    for (std::size_t at = std::size_t{wire_name[0]} + 1; wire_name[at] != 0;
         at += std::size_t{wire_name[at]} + 1)
        room[at - 1] = '.';
    return {room.data(), length};
}

void scan(const PatternImage& image, std::span<const std::uint8_t> wire_name, hs_scratch* scratch,
          TagBits& tags) noexcept {
    if (image.database == nullptr || has_all(tags, image.all)) return;
    const hs_database* const database = !image.has_filter || image.filter.may_hold(wire_name)
                                            ? image.database.get()
                                            : image.unfiltered.get();
    if (database == nullptr) return;
    NameText room;
    const std::string_view text = name_text(wire_name, room);
    Found found{image.tags_of.data(), &tags};
    const auto status = hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0,
                                scratch, on_match, &found);
    if (status != HS_SUCCESS) {
        // Reached only with a scratch of another image or in use by another thread.
        std::fprintf(stderr,
                     "name matcher: scan refused (%d): scratch not prepared for this image\n",
                     status);
        std::abort();
    }
}

}  // namespace steer::matchers
