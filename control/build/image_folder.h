// Finished images as files of a folder: NAME, 64 bytes of head (what it is, how long, a checksum), then the bytes.
//
// Written beside and renamed, so that a file is whole or not there; one that is torn, foreign or of another form is
// refused and made anew. The newest of each kind stay, the others go. Any thread; what could not be done is a sentence.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "matchers/image_store.h"

namespace steer::build {

class ImageFolder : public matchers::ImageStore {
  public:
    explicit ImageFolder(std::string folder) : folder_(std::move(folder)) {}

    std::optional<matchers::Arena> load(const std::string& name) override;
    void keep(const std::string& name, std::span<const std::uint8_t> bytes) override;

    // What went wrong since the last call.
    std::vector<std::string> take_sentences();
    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    void say(std::string sentence);
    void remove_old(const std::string& name) const;

    std::string folder_;
    std::mutex mutex_;
    std::vector<std::string> sentences_;
};

}  // namespace steer::build
