// A password, a key, or a text that contains one: kept once, in pages of its own.
//
// The pages are not part of core files (MADV_DONTDUMP), are not swapped if the limit of locked
// memory allows it, and are zeroed before they are given back. Copies share them. There is no way
// to print a Secret; code that sends it to a server takes its text. Each one costs a page (4 KiB)
// and three system calls; an empty one costs nothing. Comparison takes time that depends on the
// text.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace steer {

class Secret {
  public:
    Secret() = default;
    Secret(std::string_view text);  // NOLINT(google-explicit-constructor): a setting is a text
    Secret(const std::string& text) : Secret(std::string_view(text)) {}  // NOLINT: the same
    Secret(const char* text) : Secret(std::string_view(text)) {}         // NOLINT: the same

    // Valid as long as this object or a copy of it.
    [[nodiscard]] std::string_view text() const;
    operator std::string_view() const { return text(); }  // NOLINT: it is sent as a text
    [[nodiscard]] bool empty() const { return text().empty(); }
    [[nodiscard]] std::size_t size() const { return text().size(); }
    void clear() { pages_.reset(); }

    friend bool operator==(const Secret& a, const Secret& b) { return a.text() == b.text(); }

  private:
    class Pages;
    std::shared_ptr<const Pages> pages_;  // nullptr: empty
};

}  // namespace steer
