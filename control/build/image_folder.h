// Stores finished images as files of a folder: NAME, 64 bytes of head (type, length, checksum), then the bytes.
//
// A file is written aside and renamed, so it is complete or missing. A damaged or foreign file, or one of another format,
// is refused and built again. The newest of each kind stay, others are removed. Any thread; errors are sentences.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "matchers/image_store.h"

namespace steer::build {

class ImageFolder : public matchers::ImageStore {
  public:
    // `owner`: the files are read and written with the permissions of this user (FilesAs); empty: with ours.
    explicit ImageFolder(std::string folder, std::string owner = {})
        : folder_(std::move(folder)), owner_(std::move(owner)) {}

    std::optional<matchers::Arena> load(const std::string& name) override;
    void keep(const std::string& name, std::span<const std::uint8_t> bytes) override;

    // The errors since the last call.
    std::vector<std::string> take_sentences();
    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    void say(std::string sentence);
    void remove_old(const std::string& name) const;

    std::string folder_, owner_;
    std::mutex mutex_;
    std::vector<std::string> sentences_;
};

}  // namespace steer::build
