// The bytes of a message between our own processes: values with a fixed layout in this machine's
// byte order, and texts behind their length. Both ends belong to one installation; the head of each
// kind of message has a version.
//
// The reader accepts any bytes. After a wrong one, all further values are zero or empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "matchers/safe_text.h"

namespace steer {

class MessageWriter {
  public:
    template <class T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    // Behind its length; cut at `max_bytes`, at most 65,535.
    void put_text(std::string_view text, std::size_t max_bytes) {
        text = whole_bytes(text, max_bytes);
        put(static_cast<std::uint16_t>(text.size()));
        put_bytes(text);
    }
    void put_bytes(std::string_view bytes) { bytes_.append(bytes); }
    // Replaces a value that was put at this position.
    template <class T>
    void replace(std::size_t at, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        std::memcpy(bytes_.data() + at, &value, sizeof value);
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    std::string finish() && { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class MessageReader {
  public:
    explicit MessageReader(std::string_view bytes) : left_(bytes) {}
    template <class T>
    T take() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (!good_ || left_.size() < sizeof value) {
            good_ = false;
            return value;
        }
        std::memcpy(&value, left_.data(), sizeof value);
        left_.remove_prefix(sizeof value);
        return value;
    }
    std::string take_text(std::size_t max_bytes) {
        const auto size = take<std::uint16_t>();
        require(size <= max_bytes);
        return take_bytes(size);
    }
    std::string take_bytes(std::size_t size) { return std::string(take_view(size)); }
    // Of the message itself.
    std::string_view take_view(std::size_t size) {
        require(size <= left_.size());
        if (!good_) return {};
        const auto view = left_.substr(0, size);
        left_.remove_prefix(size);
        return view;
    }
    bool take_bool() {
        const auto value = take<std::uint8_t>();
        require(value <= 1);
        return value == 1;
    }
    void require(bool condition) { good_ = good_ && condition; }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool is_whole() const { return good_ && left_.empty(); }

  private:
    std::string_view left_;
    bool good_ = true;
};

}  // namespace steer
