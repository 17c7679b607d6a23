// The files of the page (control/api/page), compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace steer::page {

struct PageFile {
    std::string_view path;  // "/main.js"; "/index.html" is the page
    std::string_view type;  // Content-Type
    std::string_view tag;   // ETag, with its quotes; changes with the content
    std::string_view content;
};

// Sorted by path.
std::span<const PageFile> files();

}  // namespace steer::page
