// Stores finished images as files in a folder: NAME, a 64-byte head (type, length, checksum), then
// the bytes.
//
// A file is written under another name and renamed, so it is complete or missing. A damaged or
// foreign file, or one with another format, is ignored and built again. The newest files of each
// kind stay, others are removed. Any thread; errors are sentences.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/image_store.h"

namespace steer::build {

class ImageFolder : public matchers::ImageStore {
  public:
    // `owner`: the files are read and written with this user's permissions (FilesAs); empty: with
    // ours.
    explicit ImageFolder(std::string folder, std::string owner = {})
        : folder_(std::move(folder)), owner_(std::move(owner)) {}

    std::optional<matchers::Arena> load(const std::string& name) override;
    void keep(const std::string& name, std::span<const std::uint8_t> bytes) override;

    std::vector<std::string> names(std::string_view start) override;
    // This number of patterns or more takes at least a second to compile.
    static constexpr std::size_t kLeastForOlder = 1'000;
    [[nodiscard]] bool may_be_older(std::size_t patterns) const override {
        return allows_older_ && patterns >= kLeastForOlder;
    }
    void note_older(const matchers::OlderPatterns& older) override { older_ = older; }
    // For a start, which then compiles in the background. older(): the older image that was used;
    // no value: the right one was used.
    void allow_older() { allows_older_ = true; }
    [[nodiscard]] const std::optional<matchers::OlderPatterns>& older() const { return older_; }
    // After this, keep() does nothing, and load() marks nothing as used.
    void only_read() { writes_ = false; }
    // Whether the folder exists and belongs to the user of this process. Images are programs: a
    // process that keeps its privileges must not use those of another user.
    [[nodiscard]] bool is_own() const;

    // The errors since the last call.
    std::vector<std::string> take_sentences();
    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    void say(std::string sentence);
    void remove_old(const std::string& name);

    std::string folder_, owner_;
    bool allows_older_ = false, writes_ = true;
    std::optional<matchers::OlderPatterns> older_;
    std::mutex mutex_;
    std::vector<std::string> sentences_;
};

}  // namespace steer::build
