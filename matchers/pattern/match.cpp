#include "matchers/pattern/match.h"

#include <hs/hs.h>

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
    std::size_t length = 0;
    for (std::size_t at = 0; wire_name[at] != 0;) {
        if (length > 0) room[length++] = '.';
        for (std::size_t left = wire_name[at++]; left > 0; --left) {
            const auto c = static_cast<char>(wire_name[at++]);
            room[length++] = c == '.' || c == '\n' ? '\0' : c;
        }
    }
    return {room.data(), length};
}

void scan(const PatternImage& image, std::span<const std::uint8_t> wire_name, hs_scratch* scratch,
          TagBits& tags) noexcept {
    if (image.database == nullptr || has_all(tags, image.all)) return;
    NameText room;
    const std::string_view text = name_text(wire_name, room);
    Found found{image.tags_of.data(), &tags};
    const auto status = hs_scan(image.database.get(), text.data(),
                                static_cast<unsigned>(text.size()), 0, scratch, on_match, &found);
    if (status != HS_SUCCESS) {
        // Only a scratch of another image or in use by another thread comes here.
        std::fprintf(stderr,
                     "name matcher: scan refused (%d): scratch not prepared for this image\n",
                     status);
        std::abort();
    }
}

}  // namespace steer::matchers
