// Names in wire form for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::test {

using WireName = std::vector<std::uint8_t>;

// From labels, which may hold any byte.
inline WireName wire_of_labels(const std::vector<std::string>& labels) {
    WireName wire;
    for (const std::string& label : labels) {
        wire.push_back(static_cast<std::uint8_t>(label.size()));
        wire.insert(wire.end(), label.begin(), label.end());
    }
    wire.push_back(0);
    return wire;
}

inline std::vector<std::string> labels_of(std::string_view text) {
    std::vector<std::string> labels;
    while (!text.empty()) {
        const auto dot = text.find('.');
        labels.emplace_back(text.substr(0, dot));
        text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    }
    return labels;
}

// From "www.example.org"; "" is the root.
inline WireName wire(std::string_view text) {
    return wire_of_labels(labels_of(text));
}

}  // namespace steer::test
