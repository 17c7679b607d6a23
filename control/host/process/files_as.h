// While this process is still root, one thread opens files with the permissions of the user that
// the process will become.
//
// A start reads the configuration, lists, rules, images and state files. The user may write some of
// them, and may replace them by a link to one of root's files. So they are opened with that user's
// permissions. Files of root are read only if the user could not have chosen them (RootToRead).
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace steer {

// While it exists, this thread opens, creates and removes files with the permissions of `user`
// only. Threads that it starts in this time inherit them. A nested object changes no permissions.
// Does nothing if the name is empty, or if this process has no more rights than that user. Aborts
// if there is no such user.
class FilesAs {
  public:
    // With this constructor, RootToRead has no effect.
    explicit FilesAs(const std::string& user);
    // `sources`: the files of the configuration. RootToRead has an effect if the user cannot change
    // any of them.
    FilesAs(const std::string& user, std::span<const std::string> sources);
    ~FilesAs();
    FilesAs(const FilesAs&) = delete;
    FilesAs& operator=(const FilesAs&) = delete;

    // Notes a further file of the configuration that this thread reads.
    static void note_source(const std::string& path);

    // The user whose files this thread opens now.
    static uid_t uid();

  private:
    friend class RootToRead;
    void enter();  // the user's permissions
    void leave();  // ours
    // Whether the user can write the file, or replace it or a part of its path.
    bool can_change(const std::string& path);
    bool can_write(int folder, const char* name);
    bool can_exchange(int folder, uid_t owner_of_entry, bool has_other_names);

    FilesAs* outer_ = nullptr;
    bool is_active_ = false;
    bool may_read_as_root_ = false;
    bool is_root_ = false;  // false: capabilities of this thread are lowered
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    std::vector<gid_t> groups_;       // previous ones of this thread
    unsigned long long lowered_ = 0;  // capabilities, as bits
};

// The user who owns the first part of the path that root does not own, and so may have put a link
// there; empty: root owns what there is of it. For files that the daemon itself makes: FilesAs of
// this user opens them, whatever the configuration says.
std::string owner_below_root(const std::string& path);

// While it exists, this thread reads the file with all rights, even inside FilesAs. For a key or a
// password that only root may read. It has an effect only if the user cannot read the file. The
// user must also be unable to change the file, a part of its path, and the files of the
// configuration (which could name any file of root).
class RootToRead {
  public:
    explicit RootToRead(const std::string& path);
    ~RootToRead();
    RootToRead(const RootToRead&) = delete;
    RootToRead& operator=(const RootToRead&) = delete;

  private:
    FilesAs* left_ = nullptr;
};

}  // namespace steer
